//! What is a host, and how does something run in it?

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::context;
use super::link::{Events, Links};
use super::namespace::Namespace;
use crate::wire::{Mac, Name};

/// A computer on the bench: a network namespace with a device, or several, each with a cable to a switch.
///
/// It shares this machine's processes, files and users, and nothing of its network.
pub struct Host {
    name: Name,
    namespace: Namespace,
    devices: Vec<Device>,
}

/// A network device of a host.
#[derive(Clone, Debug)]
pub struct Device {
    /// `eth0`, and `eth1` where a router has a second one.
    pub name: String,
    /// Its number, unlike that of any other host's device: what stands in `sin6_scope_id`.
    pub index: u32,
    /// Its hardware address.
    pub mac: Mac,
    /// Its IPv4 address, in a network of 24 bits.
    pub v4: Ipv4Addr,
    /// Its IPv6 address, in a network of 64 bits.
    pub v6: Ipv6Addr,
    /// Its IPv6 address that is valid on the link only; it means nothing without a scope.
    pub link_local: Ipv6Addr,
    /// Which port of the switch its cable is in.
    pub(super) port: usize,
    /// Which LAN that is.
    pub(super) lan: usize,
}

impl Host {
    pub(super) fn new(name: &str, namespace: Namespace, devices: Vec<Device>) -> Self {
        Self {
            name: name.into(),
            namespace,
            devices,
        }
    }

    /// What it is called on this bench.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The IPv4 address of its first device.
    pub fn v4(&self) -> Ipv4Addr {
        self.devices[0].v4
    }

    /// The IPv6 address of its first device.
    pub fn v6(&self) -> Ipv6Addr {
        self.devices[0].v6
    }

    /// The link-local IPv6 address of its first device. To use it on this host, add [`Host::index`] as the scope; on
    /// another host on the link, that host's index.
    pub fn link_local(&self) -> Ipv6Addr {
        self.devices[0].link_local
    }

    /// The hardware address of its first device.
    pub fn mac(&self) -> Mac {
        self.devices[0].mac
    }

    /// The name of its first device.
    pub fn device(&self) -> &str {
        &self.devices[0].name
    }

    /// The number of its first device.
    pub fn index(&self) -> u32 {
        self.devices[0].index
    }

    /// All its devices but loopback.
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// Does `work` in this host, in this process, and comes back. The sockets made there stay there.
    ///
    /// # Errors
    /// Those of `work`, and of entering the namespace.
    pub fn run<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.namespace.within(work)?
    }

    /// Moves this process into the host, for good: for a child that was forked for it.
    ///
    /// # Errors
    /// Those of setns(2).
    pub fn enter(&self) -> io::Result<()> {
        self.namespace.enter()
    }

    /// Sets a kernel parameter of this host, as `sysctl("net.ipv4.tcp_syn_retries", "2")`; see tcp(7) and its like.
    ///
    /// # Errors
    /// Those of the file below `/proc/sys`: `ENOENT` for no such parameter, `EINVAL` for no such value.
    pub fn sysctl(&self, name: &str, value: &str) -> io::Result<()> {
        self.run(|| sysctl(name, value))
    }

    /// Sets the longest packet, in bytes, that a device sends: 68 to 65535, and 1280 at least where there is IPv6.
    /// The kernel answers packets that are to be forwarded and do not fit with an ICMP error.
    ///
    /// # Errors
    /// `EINVAL` for a number out of range.
    pub fn set_mtu(&self, device: &str, mtu: u32) -> io::Result<()> {
        let known = self.devices.iter().find(|known| known.name == device);
        let index = known.ok_or_else(|| {
            let names: Vec<&str> = self
                .devices
                .iter()
                .map(|device| device.name.as_str())
                .collect();
            super::invalid(format!(
                "{} has no device {device}; it has {}",
                self.name,
                names.join(", ")
            ))
        })?;
        self.run(|| Links::open()?.mtu(index.index, mtu))
    }

    /// Tells this host the hardware addresses of all the others on its links, so that it need not ask on the wire.
    pub(super) fn introduce(&self, others: &[Host]) -> io::Result<()> {
        self.run(|| {
            let mut links = Links::open()?;
            for own in &self.devices {
                let others = others
                    .iter()
                    .filter(|other| other.name != self.name)
                    .flat_map(|other| &other.devices);
                for other in others.filter(|other| other.lan == own.lan) {
                    for ip in [
                        IpAddr::from(other.v4),
                        other.v6.into(),
                        other.link_local.into(),
                    ] {
                        links.neighbor(own.index, ip, other.mac)?;
                    }
                }
            }
            Ok(())
        })
    }

    /// Does `plug_in`, then waits until all devices can carry frames.
    pub(super) fn until_operational(
        &self,
        plug_in: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        self.run(|| {
            let events = Events::open()?;
            plug_in()?;
            for device in &self.devices {
                let now = Links::open()?.is_operational(device.index)?;
                events.wait_for_carrier(device.index, now)?;
            }
            Ok(())
        })
    }
}

/// Sets a kernel parameter in the namespace this process is in.
pub(super) fn sysctl(name: &str, value: &str) -> io::Result<()> {
    let path = format!("/proc/sys/{}", name.replace('.', "/"));
    fs::write(&path, value).map_err(context(format!("{path}, value {value}")))
}
