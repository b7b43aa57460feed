//! What does the switch do with a frame?
//!
//! A process of its own, with one thread: it takes a frame from a cable, writes it down, asks the rules, and puts it into the
//! cables of those whom it is for. Frames that wait are few, so plain lists serve.

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use super::cable::Cable;
use super::control::{Order, Receiver};
use super::record::Record;
use super::rule::{Action, At, Compiled, Ports};
use crate::wire::{Mac, Packet, What};

/// Frames taken from one cable before the others have their turn.
const TURN: usize = 32;
/// Longer than any frame a device sends.
const LONGEST: usize = 1 << 16;

/// A socket of the switch, with a host's cable in it.
pub(super) struct Port {
    pub(super) cable: Cable,
    /// Which LAN it belongs to. Frames never pass from one to the other: that is a router's work.
    pub(super) lan: usize,
    /// The hardware address at the other end.
    pub(super) mac: Mac,
}

/// The switch, or the switches: one for each LAN.
pub(super) struct Switch {
    ports: Vec<Port>,
    plugged: Ports,
    /// Where a hardware address was seen last.
    addresses: HashMap<(usize, Mac), usize>,
    rules: Vec<Active>,
    rules_made: u32,
    /// Copies to be delivered later, in order of time.
    delayed: Vec<(Duration, Copy)>,
    /// Those that were given a frame since this was last set to none.
    reached: Ports,
    record: Record,
    started: Instant,
    /// An order that is answered when there is something to tell, or at this time.
    waiting: Option<(usize, Instant)>,
}

/// A rule in force.
struct Active {
    number: u32,
    rule: Compiled,
    matched: u64,
    acted: u64,
    /// Rate: when the line is free again.
    free: Duration,
    /// Overtaken: copies held back, and how many frames must still pass.
    held: Vec<(u64, Copy)>,
}

/// A frame on its way to one port.
#[derive(Clone)]
struct Copy {
    frame: u32,
    port: usize,
    bytes: Rc<[u8]>,
    what: What,
    rule: u32,
}

/// What a rule demands for a frame.
struct Demand {
    rule: u32,
    ports: Ports,
    action: Action,
    /// Rate: when the frame has left the line.
    until: Duration,
}

impl Switch {
    pub(super) fn new(ports: Vec<Port>, started: Instant) -> Self {
        let addresses = ports
            .iter()
            .enumerate()
            .map(|(i, port)| ((port.lan, port.mac), i))
            .collect();
        Self {
            ports,
            plugged: Ports::MAX,
            addresses,
            rules: Vec::new(),
            rules_made: 0,
            delayed: Vec::new(),
            reached: 0,
            record: Record::default(),
            started,
            waiting: None,
        }
    }

    /// Works until the commander is gone.
    pub(super) fn run(mut self, orders: &Receiver) {
        let mut buffer = vec![0; LONGEST];
        loop {
            let ready = self.sleep(orders);
            for port in 0..self.ports.len() {
                if ready & 1 << port != 0 {
                    self.take(port, &mut buffer, TURN);
                }
            }
            self.deliver_due(&mut buffer);
            // An order is in force for what comes after it, so what came before it goes first.
            let ordered = ready & 1 << self.ports.len() != 0;
            if ordered {
                self.take_all(&mut buffer);
                let Ok(order) = orders.next() else { return };
                if !self.obey(order, orders) {
                    return;
                }
            }
            if !self.tell(orders) {
                return;
            }
        }
    }

    /// Sleeps until something is to be done. One bit for each port with a frame, and one for an order.
    fn sleep(&self, orders: &Receiver) -> Ports {
        let fds = self
            .ports
            .iter()
            .map(|port| port.cable.as_fd())
            .chain([orders.as_fd()]);
        let mut fds: Vec<PollFd> = fds.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        let deliver = self.delayed.first().map(|(due, _)| *due);
        let answer = self.waiting.map(|(_, until)| until - self.started);
        let next = deliver.into_iter().chain(answer).min();
        let timeout = next.map(|at| TimeSpec::from(at.saturating_sub(self.now())));
        if ppoll(&mut fds, timeout, None).is_err() {
            return 0;
        }
        let ready = |fd: &PollFd| fd.revents().is_some_and(|events| !events.is_empty());
        fds.iter()
            .enumerate()
            .filter(|(_, fd)| ready(fd))
            .map(|(i, _)| 1 << i)
            .sum()
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Takes frames, at most so many, from a cable and from those whose hosts answer at once. How many there were.
    ///
    /// A host's kernel may answer a frame before the write that delivers it returns. Such an answer is taken next, so that it
    /// stands in the record before what was sent after it.
    fn take(&mut self, first: usize, buffer: &mut [u8], at_most: usize) -> usize {
        let mut turns = vec![first];
        for count in 0..at_most {
            let taken = loop {
                let Some(port) = turns.last().copied() else {
                    return count;
                };
                match self.ports[port].cable.receive(buffer) {
                    Some(length) => break (port, length),
                    None => turns.pop(),
                };
            };
            self.reached = 0;
            self.forward(taken.0, &buffer[..taken.1]);
            turns.extend((0..self.ports.len()).filter(|port| self.reached & 1 << port != 0));
        }
        at_most
    }

    /// Takes all frames that the hosts have sent. A host whose answer to a frame is a frame can make this long, so there is a
    /// limit.
    fn take_all(&mut self, buffer: &mut [u8]) {
        for _ in 0..1024 {
            let taken: usize = (0..self.ports.len())
                .map(|port| self.take(port, buffer, TURN))
                .sum();
            if taken == 0 {
                return;
            }
        }
    }

    fn forward(&mut self, from: usize, bytes: &[u8]) {
        let now = self.now();
        let frame = self.record.came(now, from, bytes);
        let (Some(destination), Some(source)) = (mac_at(bytes, 0), mac_at(bytes, 6)) else {
            return;
        };
        let lan = self.ports[from].lan;
        if !source.is_multicast() {
            self.addresses.insert((lan, source), from);
        }
        let targets = match self.addresses.get(&(lan, destination)) {
            Some(port) => 1 << port,
            None => self.all_of(lan),
        } & !(1 << from);
        let demands = self.consult(from, targets, bytes, now);
        let bytes: Rc<[u8]> = bytes.into();
        for port in 0..self.ports.len() {
            if targets & 1 << port != 0 {
                let copy = Copy {
                    frame,
                    port,
                    bytes: bytes.clone(),
                    what: What::Delivered,
                    rule: 0,
                };
                self.dispatch(copy, &demands, now, self.plugged & 1 << from != 0);
            }
        }
        self.release(&demands);
    }

    fn all_of(&self, lan: usize) -> Ports {
        self.ports
            .iter()
            .enumerate()
            .filter(|(_, port)| port.lan == lan)
            .map(|(i, _)| 1 << i)
            .sum()
    }

    /// Asks the rules. A demand with [`Action::HoldUntil`] and no ports only says that one more frame has passed.
    fn consult(&mut self, from: usize, targets: Ports, bytes: &[u8], now: Duration) -> Vec<Demand> {
        let mut demands = Vec::new();
        for active in &mut self.rules {
            let mut ports = active.rule.concerns(from, targets, bytes);
            if ports == 0 {
                continue;
            }
            active.matched += 1;
            let action = active.rule.action;
            if active.rule.chooses(active.matched) {
                active.acted += 1;
            } else if matches!(action, Action::HoldUntil { .. }) {
                ports = 0;
            } else {
                continue;
            }
            if let Action::Rate { bytes_per_second } = action {
                let takes =
                    Duration::from_nanos(bytes.len() as u64 * 1_000_000_000 / bytes_per_second);
                active.free = active.free.max(now) + takes;
            }
            demands.push(Demand {
                rule: active.number,
                ports,
                action,
                until: active.free,
            });
        }
        demands
    }

    /// Sends one copy of a frame on its way, as the rules demand.
    fn dispatch(&mut self, mut copy: Copy, demands: &[Demand], now: Duration, plugged: bool) {
        if !plugged {
            copy.what = What::Cut;
            return self.end(&copy);
        }
        let mut due = now;
        let mut twice = None;
        let mut hold = None;
        for demand in demands
            .iter()
            .filter(|demand| demand.ports & 1 << copy.port != 0)
        {
            let what = match demand.action {
                Action::Drop => What::Dropped,
                Action::Delay(by) => {
                    due = due.max(now) + by;
                    What::Delayed
                }
                Action::Rate { .. } => {
                    due = due.max(demand.until);
                    What::Delayed
                }
                Action::Duplicate => {
                    twice = Some(demand.rule);
                    What::Delivered
                }
                Action::HoldUntil { later } => {
                    hold = Some((demand.rule, later));
                    What::Overtaken
                }
                Action::Corrupt { at, flip } => {
                    copy.bytes = corrupted(&copy.bytes, at, flip);
                    What::Corrupted
                }
            };
            if what as u8 > copy.what as u8 {
                (copy.what, copy.rule) = (what, demand.rule);
            }
            if what == What::Dropped {
                return self.end(&copy);
            }
        }
        let again = twice.map(|rule| Copy {
            what: What::Duplicate,
            rule,
            ..copy.clone()
        });
        for copy in [Some(copy), again].into_iter().flatten() {
            match hold {
                Some((number, later)) => {
                    if let Some(active) =
                        self.rules.iter_mut().find(|active| active.number == number)
                    {
                        // The frame itself is about to be counted as one that passed.
                        active.held.push((later.saturating_add(1), copy));
                    }
                }
                None if due > now => self.delay(due, copy),
                None => self.end(&copy),
            }
        }
    }

    /// After a frame has passed: lets go of those that waited for it to pass.
    fn release(&mut self, demands: &[Demand]) {
        for demand in demands
            .iter()
            .filter(|demand| matches!(demand.action, Action::HoldUntil { .. }))
        {
            let Some(active) = self
                .rules
                .iter_mut()
                .find(|active| active.number == demand.rule)
            else {
                continue;
            };
            active
                .held
                .iter_mut()
                .for_each(|(missing, _)| *missing -= 1);
            let free: Vec<_> = active
                .held
                .extract_if(.., |(missing, _)| *missing == 0)
                .collect();
            for (_, copy) in free {
                self.end(&copy);
            }
        }
    }

    fn delay(&mut self, due: Duration, copy: Copy) {
        let place = self.delayed.partition_point(|(other, _)| *other <= due);
        self.delayed.insert(place, (due, copy));
    }

    fn deliver_due(&mut self, buffer: &mut [u8]) {
        while self
            .delayed
            .first()
            .is_some_and(|(due, _)| *due <= self.now())
        {
            let (_, copy) = self.delayed.remove(0);
            self.end(&copy);
            self.take(copy.port, buffer, TURN);
        }
    }

    /// Puts a copy into its cable, unless it is lost, and writes down what became of it.
    fn end(&mut self, copy: &Copy) {
        let mut what = copy.what;
        if what.arrived() && self.plugged & 1 << copy.port == 0 {
            what = What::Cut;
        }
        let now = self.now();
        if what.arrived() {
            if self.ports[copy.port].cable.send(&copy.bytes) {
                self.reached |= 1 << copy.port;
            } else {
                what = What::Refused;
            }
        }
        self.record
            .went(copy.frame, copy.port, now, what, copy.rule);
    }

    /// Does as ordered. False when the commander is gone.
    fn obey(&mut self, order: Order, orders: &Receiver) -> bool {
        let answered = match order {
            Order::Add(rule) => {
                self.rules_made += 1;
                let number = self.rules_made;
                let free = Duration::ZERO;
                self.rules.push(Active {
                    number,
                    rule,
                    matched: 0,
                    acted: 0,
                    free,
                    held: Vec::new(),
                });
                orders.answer(number.into(), &[])
            }
            Order::Remove(number) => {
                let gone: Vec<Active> = self
                    .rules
                    .extract_if(.., |active| active.number == number)
                    .collect();
                for (_, copy) in gone.iter().flat_map(|active| &active.held) {
                    self.end(copy);
                }
                orders.answer(gone.first().map_or(0, |active| active.acted), &[])
            }
            Order::Cut(ports) => {
                self.plug(ports, false);
                orders.answer(0, &[])
            }
            Order::Mend(ports) => {
                self.plug(ports, true);
                orders.answer(0, &[])
            }
            Order::Record { from } => orders.answer(0, self.record.since(from)),
            Order::Wait { from, at_most } => {
                self.waiting = Some((from, Instant::now() + at_most));
                Ok(())
            }
            Order::Busy => {
                let held: usize = self.rules.iter().map(|active| active.held.len()).sum();
                orders.answer((self.delayed.len() + held) as u64, &[])
            }
        };
        answered.is_ok()
    }

    /// Answers an order that waits, if it is time. False when the commander is gone.
    fn tell(&mut self, orders: &Receiver) -> bool {
        let Some((from, until)) = self.waiting else {
            return true;
        };
        if self.record.length() <= from && Instant::now() < until {
            return true;
        }
        self.waiting = None;
        orders.answer(0, self.record.since(from)).is_ok()
    }

    fn plug(&mut self, ports: Ports, on: bool) {
        self.plugged = if on {
            self.plugged | ports
        } else {
            self.plugged & !ports
        };
        for (i, port) in self.ports.iter().enumerate() {
            if ports & 1 << i != 0 {
                port.cable.set_carrier(on);
            }
        }
    }
}

fn mac_at(bytes: &[u8], at: usize) -> Option<Mac> {
    Some(Mac(bytes.get(at..at + 6)?.try_into().ok()?))
}

/// The frame with all bits of one byte flipped; the frame as it is, if it is too short.
fn corrupted(bytes: &[u8], at: At, flip: u8) -> Rc<[u8]> {
    let at = match at {
        At::Frame(offset) => offset,
        At::Data(offset) => Packet::decode(bytes).data.start + offset,
    };
    let mut bytes = bytes.to_vec();
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= flip;
    }
    bytes.into()
}
