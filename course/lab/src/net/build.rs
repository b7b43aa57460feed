//! How is a network built?
//!
//! For each host: a namespace, its parameters, a cable for each device, addresses, routes. Then the switch is forked, with the
//! other ends of all cables.
//!
//! Nothing is lost on a network that is built: a TAP device has its carrier, and with it its queue, before it is brought up,
//! and for IPv6 we wait until the kernel has put the addresses to use.

use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Instant, SystemTime};

use super::cable::{Cable, QUEUE};
use super::control::{self, Receiver};
use super::host::{Device, Host, sysctl};
use super::link::{Events, Links};
use super::namespace::{Namespace, Return};
use super::record::{self, Event};
use super::switch::{self, Port};
use super::{Net, Switch, probe};
use crate::system::{self, Fork};
use crate::wire::{History, Mac, Socket};

/// Number of the router on each of its LANs.
const ROUTER: u8 = 254;

impl Net {
    /// One LAN with these hosts: 10.0.0.0/24 and fd00::/64.
    ///
    /// # Errors
    /// When the machine does not allow it: then [`super::is_missing`] is true of the error, and it says what to do.
    pub fn lan(hosts: &[&str]) -> io::Result<Self> {
        Self::build(&[hosts])
    }

    /// Two LANs and a host `router` that forwards between them: 10.0.0.0/24 with fd00::/64, and 10.0.1.0/24 with
    /// `fd00:0:0:1::/64`. Its devices are `eth0` on the first and `eth1` on the second, with number 254.
    ///
    /// # Errors
    /// As [`Net::lan`].
    pub fn two_lans(first: &[&str], second: &[&str]) -> io::Result<Self> {
        Self::build(&[first, second])
    }

    fn build(lans: &[&[&str]]) -> io::Result<Self> {
        // The switch has a bit for each port and one for orders.
        let count = lans.iter().map(|lan| lan.len()).sum::<usize>();
        if count == 0 || count > 50 {
            return Err(super::invalid(format!(
                "a network of {count} hosts; it can have 1 to 50"
            )));
        }
        let mut builder = Builder::default();
        for (lan, names) in lans.iter().enumerate() {
            for (i, name) in names.iter().enumerate() {
                builder
                    .host(name, &[(lan, i as u8 + 1)], lans.len() > 1)
                    .map_err(probe::explain)?;
            }
        }
        if lans.len() > 1 {
            let places: Vec<_> = (0..lans.len()).map(|lan| (lan, ROUTER)).collect();
            builder
                .host("router", &places, true)
                .map_err(probe::explain)?;
        }
        builder.finish()
    }
}

#[derive(Default)]
struct Builder {
    hosts: Vec<Host>,
    ports: Vec<Port>,
    sockets: Vec<Socket>,
}

impl Builder {
    /// Adds a host with a device in each of these places: the LAN, and its number there.
    fn host(&mut self, name: &str, places: &[(usize, u8)], routed: bool) -> io::Result<()> {
        let back = Return(Namespace::current()?);
        // A small table of connections of its own, where the kernel can (6.1): it is searched in no time.
        let _ = sysctl("net.ipv4.tcp_child_ehash_entries", "512");
        let namespace = Namespace::fresh()?;
        let routes = places.len() > 1;
        parameters(routes)?;
        let mut links = Links::open()?;
        links.loopback_up()?;
        let events = Events::open()?;
        let mut devices = Vec::new();
        let mut added = Vec::new();
        for (i, &(lan, number)) in places.iter().enumerate() {
            let device = Device {
                name: format!("eth{i}"),
                index: self.ports.len() as u32 + 2,
                mac: Mac([2, 0, 0, 0, lan as u8, number]),
                v4: Ipv4Addr::new(10, 0, lan as u8, number),
                v6: Ipv6Addr::new(0xfd00, 0, 0, lan as u16, 0, 0, 0, number.into()),
                // As the kernel makes it from the hardware address, RFC 4291 appendix A.
                link_local: Ipv6Addr::new(
                    0xfe80,
                    0,
                    0,
                    0,
                    0,
                    0xff,
                    0xfe00,
                    u16::from_be_bytes([lan as u8, number]),
                ),
                port: self.ports.len(),
                lan,
            };
            let cable = Cable::new(&device.name, device.index)?;
            links.device_up(device.index, device.mac, QUEUE)?;
            links.address(device.index, device.v4.into(), 24)?;
            links.address(device.index, device.link_local.into(), 64)?;
            links.address(device.index, device.v6.into(), 64)?;
            // Multicast and broadcast without a device chosen go out here.
            if i == 0 {
                links.route_on_link(device.index, Ipv4Addr::new(224, 0, 0, 0).into(), 4)?;
                links.route_on_link(device.index, Ipv4Addr::BROADCAST.into(), 32)?;
            }
            if routed && !routes {
                links
                    .default_route(device.index, Ipv4Addr::new(10, 0, lan as u8, ROUTER).into())?;
                let gateway = Ipv6Addr::new(0xfd00, 0, 0, lan as u16, 0, 0, 0, ROUTER.into());
                links.default_route(device.index, IpAddr::V6(gateway))?;
            }
            added.extend([device.link_local, device.v6]);
            self.ports.push(Port {
                cable,
                lan,
                mac: device.mac,
            });
            self.sockets.push(Socket {
                host: name.into(),
                device: device.name.clone(),
                mac: device.mac,
                lan,
            });
            devices.push(device);
        }
        events.wait_for_local(added)?;
        // The kernel's worker tells us first and then finishes; it holds the lock that this takes.
        links.loopback_up()?;
        for device in &devices {
            sysctl(
                &format!("net.ipv6.conf.{}.force_mld_version", device.name),
                "0",
            )?;
        }
        drop(back);
        self.hosts.push(Host::new(name, namespace, devices));
        Ok(())
    }

    /// Forks the switch.
    fn finish(self) -> io::Result<Net> {
        let (commander, receiver) = control::pair()?;
        // What the hosts said while they were being built is not part of the record.
        for port in &self.ports {
            while port.cable.receive(&mut [0; 128]).is_some() {}
        }
        let (started, began) = (Instant::now(), SystemTime::now());
        // SAFETY: the caller's process has one thread, as the documentation of this module demands.
        let switch = match unsafe { system::fork() }? {
            Fork::Child => {
                system::be_prompt();
                let ports = self.ports;
                let _ = catch_unwind(AssertUnwindSafe(|| work(ports, &receiver, started)));
                system::exit_now(0)
            }
            Fork::Parent { pid, pidfd } => Switch {
                pid,
                pidfd,
                commander,
            },
        };
        Ok(Net {
            hosts: self.hosts,
            switch,
            history: RefCell::new(History::new(self.sockets, began)),
        })
    }
}

/// The life of the switch.
fn work(ports: Vec<Port>, receiver: &Receiver, started: Instant) {
    let cables = ports.iter().map(|port| port.cable.as_fd().as_raw_fd());
    keep_only(
        cables
            .chain([libc::STDERR_FILENO, receiver.as_fd().as_raw_fd()])
            .collect(),
    );
    switch::Switch::new(ports, started).run(receiver);
}

/// Closes all descriptors but these. What the switch holds open, its parent's readers would wait for.
fn keep_only(mut keep: Vec<RawFd>) {
    keep.sort_unstable();
    let mut first = 0;
    for fd in keep.into_iter().chain([RawFd::MAX]) {
        if first < fd {
            // SAFETY: closes descriptors that nothing in this process uses any more.
            unsafe { libc::syscall(libc::SYS_close_range, first, fd - 1, 0) };
        }
        first = fd.saturating_add(1);
    }
}

/// Parameters of a namespace that are to be set before it has devices.
fn parameters(router: bool) -> io::Result<()> {
    // Machines differ in their default, and captures should not. Where the machine's administrator does not allow its own
    // default's rival to others (tcp_allowed_congestion_control), there is Reno, which everybody may use.
    sysctl("net.ipv4.tcp_congestion_control", "cubic")
        .or_else(|_| sysctl("net.ipv4.tcp_congestion_control", "reno"))?;
    // No routers are asked for: addresses and routes are given.
    sysctl("net.ipv6.conf.default.accept_ra", "0")?;
    // Each address comes with a multicast group, which the kernel announces on the wire: in version 2 of the protocol some
    // milliseconds later, in version 1 at once, while nobody listens yet. It repeats that within this time: three weeks.
    sysctl("net.ipv6.conf.default.force_mld_version", "1")?;
    sysctl(
        "net.ipv6.conf.default.mldv1_unsolicited_report_interval",
        "2000000000",
    )?;
    if router {
        sysctl("net.ipv4.ip_forward", "1")?;
        sysctl("net.ipv6.conf.all.forwarding", "1")?;
    }
    Ok(())
}

/// Adds a piece of the switch's record to what is known.
pub(super) fn append(history: &mut History, news: &[u8]) {
    for event in record::events(news) {
        match event {
            Event::Came {
                time,
                port,
                length,
                bytes,
            } => history.came(time, port.into(), length as usize, bytes),
            Event::Went {
                frame,
                port,
                time,
                what,
                rule,
            } => history.went(frame as usize, port.into(), time, what, rule),
        }
    }
    history.read(news.len());
}
