//! Which state is each end of a TCP connection in, as far as the wire tells?
//!
//! The state machine of RFC 9293 section 3.3.2, driven by what an end sends and by what reaches it. A lost segment moves its
//! sender only. What no segment shows is not known here: that an end gave up, or that TIME-WAIT is over.

use std::fmt;

use super::{Flags, Tcp};

/// A state of one end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// There is no connection.
    Closed,
    /// Ready for a SYN.
    Listen,
    /// It has sent a SYN.
    SynSent,
    /// It has had a SYN, and answered.
    SynReceived,
    /// Both may send.
    Established,
    /// It has said that it will send no more.
    FinWait1,
    /// The other end knows it.
    FinWait2,
    /// The other end will send no more.
    CloseWait,
    /// Both have sent FIN, and neither knows yet whether its own came.
    Closing,
    /// It was the second to send FIN.
    LastAck,
    /// All is said; late segments may still come.
    TimeWait,
}

impl State {
    /// As RFC 9293 writes it.
    pub fn name(self) -> &'static str {
        match self {
            State::Closed => "CLOSED",
            State::Listen => "LISTEN",
            State::SynSent => "SYN-SENT",
            State::SynReceived => "SYN-RECEIVED",
            State::Established => "ESTABLISHED",
            State::FinWait1 => "FIN-WAIT-1",
            State::FinWait2 => "FIN-WAIT-2",
            State::CloseWait => "CLOSE-WAIT",
            State::Closing => "CLOSING",
            State::LastAck => "LAST-ACK",
            State::TimeWait => "TIME-WAIT",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A way from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state before.
    pub from: State,
    /// The state after.
    pub to: State,
    /// What brings it about: a call of the program's, a segment that arrives, or time.
    pub when: &'static str,
    /// What is sent then; nothing if it is empty.
    pub sends: &'static str,
}

const fn way(from: State, to: State, when: &'static str, sends: &'static str) -> Transition {
    Transition {
        from,
        to,
        when,
        sends,
    }
}

/// The machine as a table: figure 5 of RFC 9293, without the way from LISTEN to SYN-SENT, for which sockets have no call. An RST
/// leads from any state but LISTEN to CLOSED.
pub const TRANSITIONS: [Transition; 17] = [
    way(State::Closed, State::Listen, "listen", ""),
    way(State::Closed, State::SynSent, "connect", "SYN"),
    way(State::Listen, State::Closed, "close", ""),
    way(State::Listen, State::SynReceived, "SYN", "SYN ACK"),
    way(State::SynSent, State::SynReceived, "SYN", "SYN ACK"),
    way(State::SynSent, State::Established, "SYN ACK", "ACK"),
    way(State::SynReceived, State::Established, "ACK", ""),
    way(State::SynReceived, State::FinWait1, "close", "FIN"),
    way(State::Established, State::FinWait1, "close", "FIN"),
    way(State::Established, State::CloseWait, "FIN", "ACK"),
    way(State::FinWait1, State::FinWait2, "ACK", ""),
    way(State::FinWait1, State::Closing, "FIN", "ACK"),
    way(State::FinWait2, State::TimeWait, "FIN", "ACK"),
    way(State::Closing, State::TimeWait, "ACK", ""),
    way(State::CloseWait, State::LastAck, "close", "FIN"),
    way(State::LastAck, State::Closed, "ACK", ""),
    way(State::TimeWait, State::Closed, "a minute", ""),
];

/// The ways through the table from one state to another, if two at most lead there.
pub fn ways(from: State, to: State) -> Vec<Transition> {
    let starts = || TRANSITIONS.iter().filter(move |way| way.from == from);
    if let Some(way) = starts().find(|way| way.to == to) {
        return vec![*way];
    }
    let pairs = starts().flat_map(|one| TRANSITIONS.iter().map(move |two| (one, two)));
    let joined = |(one, two): &(&Transition, &Transition)| one.to == two.from && two.to == to;
    let pair = pairs.into_iter().find(joined);
    pair.map_or(Vec::new(), |(one, two)| vec![*one, *two])
}

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Where it is now.
    pub state: State,
    /// The number after its FIN, once it has sent one: who acknowledges this has had it.
    after_fin: Option<u32>,
}

impl End {
    /// An end in this state.
    pub fn new(state: State) -> End {
        End {
            state,
            after_fin: None,
        }
    }

    /// It sends a segment with so much data.
    pub fn sends(&mut self, tcp: &Tcp, length: usize) {
        use State::{
            CloseWait, Closed, Established, FinWait1, LastAck, Listen, SynReceived, SynSent,
        };
        if tcp.flags.has(Flags::RST) {
            // A host that knows nothing of the connection says so, and is where it was.
            if self.state != Listen {
                self.state = Closed;
            }
            return;
        }
        if tcp.flags.has(Flags::SYN) {
            self.state = match (self.state, tcp.flags.has(Flags::ACK)) {
                (Closed | Listen, false) => SynSent,
                (Closed | Listen | SynSent, true) => SynReceived,
                (other, _) => other,
            };
        }
        if tcp.flags.has(Flags::FIN) {
            self.after_fin = Some(tcp.relative_sequence.wrapping_add(length as u32 + 1));
            self.state = match self.state {
                Established | SynReceived => FinWait1,
                CloseWait => LastAck,
                other => other,
            };
        }
    }

    /// A segment reaches it.
    pub fn receives(&mut self, tcp: &Tcp) {
        use State::{
            CloseWait, Closed, Closing, Established, FinWait1, FinWait2, LastAck, Listen,
            SynReceived, SynSent, TimeWait,
        };
        if tcp.flags.has(Flags::RST) {
            if self.state != Listen {
                self.state = Closed;
            }
            return;
        }
        let acknowledges = tcp.flags.has(Flags::ACK);
        if tcp.flags.has(Flags::SYN) {
            self.state = match (self.state, acknowledges) {
                (SynSent, true) => Established,
                (Listen | SynSent, false) => SynReceived,
                (other, _) => other,
            };
            return;
        }
        if acknowledges && self.state == SynReceived {
            self.state = Established;
        }
        let fin_came = self
            .after_fin
            .is_some_and(|after| acknowledges && tcp.relative_acknowledgment >= after);
        if fin_came {
            self.state = match self.state {
                FinWait1 => FinWait2,
                Closing => TimeWait,
                LastAck => Closed,
                other => other,
            };
        }
        if tcp.flags.has(Flags::FIN) {
            self.state = match self.state {
                Established => CloseWait,
                FinWait1 => Closing,
                FinWait2 => TimeWait,
                other => other,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYN: Flags = Flags::SYN;
    const ACK: Flags = Flags::ACK;
    const FIN: Flags = Flags::FIN;
    const RST: Flags = Flags::RST;

    fn segment(flags: Flags, seq: u32, ack: u32) -> Tcp {
        Tcp {
            source_port: 1,
            destination_port: 2,
            sequence: seq,
            acknowledgment: ack,
            relative_sequence: seq,
            relative_acknowledgment: ack,
            flags,
            window: 0,
            scaled_window: 0,
            urgent_pointer: 0,
            options: Vec::new(),
        }
    }

    /// Two ends; each step says who sends what, and where both are when it has arrived.
    struct Pair(End, End);

    impl Pair {
        fn new() -> Pair {
            Pair(End::new(State::Closed), End::new(State::Listen))
        }

        #[track_caller]
        fn one(&mut self, tcp: Tcp, states: (State, State)) -> &mut Pair {
            self.0.sends(&tcp, 0);
            self.1.receives(&tcp);
            assert_eq!((self.0.state, self.1.state), states);
            self
        }

        #[track_caller]
        fn other(&mut self, tcp: Tcp, states: (State, State)) -> &mut Pair {
            self.1.sends(&tcp, 0);
            self.0.receives(&tcp);
            assert_eq!((self.0.state, self.1.state), states);
            self
        }

        fn open() -> Pair {
            let mut pair = Pair::new();
            pair.one(segment(SYN, 0, 0), (State::SynSent, State::SynReceived))
                .other(
                    segment(SYN | ACK, 0, 1),
                    (State::Established, State::SynReceived),
                )
                .one(segment(ACK, 1, 1), (State::Established, State::Established));
            pair
        }
    }

    #[test]
    fn four_segments_close() {
        Pair::open()
            .one(
                segment(FIN | ACK, 1, 1),
                (State::FinWait1, State::CloseWait),
            )
            .other(segment(ACK, 1, 2), (State::FinWait2, State::CloseWait))
            .other(segment(FIN | ACK, 1, 2), (State::TimeWait, State::LastAck))
            .one(segment(ACK, 2, 2), (State::TimeWait, State::Closed));
    }

    #[test]
    fn three_segments_close() {
        Pair::open()
            .one(
                segment(FIN | ACK, 1, 1),
                (State::FinWait1, State::CloseWait),
            )
            .other(segment(FIN | ACK, 1, 2), (State::TimeWait, State::LastAck))
            .one(segment(ACK, 2, 2), (State::TimeWait, State::Closed));
    }

    #[test]
    fn both_close_at_once() {
        let mut pair = Pair::open();
        let fin = segment(FIN | ACK, 1, 1);
        pair.0.sends(&fin, 0);
        pair.1.sends(&fin, 0);
        pair.0.receives(&fin);
        pair.1.receives(&fin);
        assert_eq!(
            (pair.0.state, pair.1.state),
            (State::Closing, State::Closing)
        );
        pair.one(segment(ACK, 2, 2), (State::Closing, State::TimeWait))
            .other(segment(ACK, 2, 2), (State::TimeWait, State::TimeWait));
    }

    #[test]
    fn both_open_at_once() {
        let mut pair = Pair(End::new(State::Closed), End::new(State::Closed));
        let syn = segment(SYN, 0, 0);
        pair.0.sends(&syn, 0);
        pair.1.sends(&syn, 0);
        pair.0.receives(&syn);
        pair.1.receives(&syn);
        assert_eq!(
            (pair.0.state, pair.1.state),
            (State::SynReceived, State::SynReceived)
        );
        // Each answers SYN with SYN ACK, which acknowledges its SYN.
        pair.one(segment(ACK, 1, 1), (State::SynReceived, State::Established));
    }

    #[test]
    fn a_reset_ends_and_a_listener_stays() {
        Pair::open().other(segment(RST, 1, 0), (State::Closed, State::Closed));
        let mut refused = Pair(End::new(State::Closed), End::new(State::Closed));
        refused
            .one(segment(SYN, 0, 0), (State::SynSent, State::Closed))
            .other(segment(RST | ACK, 0, 1), (State::Closed, State::Closed));
    }

    const STATES: [State; 11] = [
        State::Closed,
        State::Listen,
        State::SynSent,
        State::SynReceived,
        State::Established,
        State::FinWait1,
        State::FinWait2,
        State::CloseWait,
        State::Closing,
        State::LastAck,
        State::TimeWait,
    ];

    /// Where each segment leads from each state, whether or not its FIN was acknowledged.
    fn moves() -> Vec<(State, Flags, State)> {
        let mut moves = Vec::new();
        for (state, flags) in STATES
            .into_iter()
            .flat_map(|state| (0..8).map(move |bits| (state, bits)))
        {
            let all = [(1, SYN), (2, ACK), (4, FIN)];
            let set = all.iter().filter(|(bit, _)| flags & bit != 0);
            let flags = set.fold(Flags::NONE, |flags, (_, flag)| flags | *flag);
            // No TCP begins and ends with the same segment.
            if flags.has(SYN | FIN) {
                continue;
            }
            for after_fin in [None, Some(9)] {
                for sends in [true, false] {
                    let mut end = End { state, after_fin };
                    let tcp = segment(flags, 1, 9);
                    if sends {
                        end.sends(&tcp, 0);
                    } else {
                        end.receives(&tcp);
                    }
                    if end.state != state {
                        moves.push((state, flags, end.state));
                    }
                }
            }
        }
        moves
    }

    #[test]
    fn the_machine_goes_no_way_that_the_table_has_not() {
        for (from, flags, to) in moves() {
            // No call of sockets does it, and a wire might show it.
            if (from, to) != (State::Listen, State::SynSent) {
                assert!(!ways(from, to).is_empty(), "{from} to {to} by {flags}");
            }
        }
    }

    #[test]
    fn the_table_has_no_way_that_the_machine_does_not_go() {
        let moves = moves();
        for way in TRANSITIONS {
            let seen = moves
                .iter()
                .any(|(from, _, to)| (*from, *to) == (way.from, way.to));
            // What no segment shows.
            let unseen = matches!(
                (way.from, way.to),
                (State::Closed, State::Listen) | (State::Listen | State::TimeWait, State::Closed)
            );
            assert!(seen != unseen, "{way:?}");
        }
    }

    #[test]
    fn what_is_lost_moves_its_sender_only() {
        let mut pair = Pair::open();
        pair.1.sends(&segment(FIN | ACK, 1, 1), 4);
        assert_eq!(
            (pair.0.state, pair.1.state),
            (State::Established, State::FinWait1)
        );
        // An acknowledgment of the data alone is not one of the FIN.
        pair.1.receives(&segment(ACK, 1, 5));
        assert_eq!(pair.1.state, State::FinWait1);
        pair.1.receives(&segment(ACK, 1, 6));
        assert_eq!(pair.1.state, State::FinWait2);
    }
}
