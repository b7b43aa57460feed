//! How does a device get its addresses, its routes and its carrier, without `ip(8)`?
//!
//! By the messages that `ip(8)` sends; see rtnetlink(7). Each function changes the namespace the process is in.

use std::io;
use std::net::{IpAddr, Ipv6Addr};

use super::context;
use super::netlink::{CREATE, Message, Netlink, attributes, u32_at};
use crate::wire::Mac;

/// `IFLA_OPERSTATE`'s value for a device that is ready, RFC 2863.
const OPERATIONAL: u8 = 6;
/// Attributes of an address: the peer's or the network's, our own, the broadcast address. `linux/if_addr.h`.
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;
/// Use the address at once, without asking first whether a neighbor has it too (RFC 4862 section 5.4).
const IFA_F_NODAD: u8 = 0x02;
/// Attributes of a route. `linux/rtnetlink.h`.
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTN_LOCAL: u8 = 2;
/// Attributes of a neighbor. `linux/neighbour.h`.
const NDA_DST: u16 = 1;
const NDA_LLADDR: u16 = 2;
const NUD_PERMANENT: u16 = 0x80;
/// The IPv6 part of a device's attributes, and in it: do not make link-local addresses, we give our own.
const INET6_ADDR_GEN_MODE: u16 = 8;
const ADDR_GEN_MODE_NONE: u8 = 1;

const RTMGRP_LINK: u32 = 0x1;
const RTMGRP_IPV6_ROUTE: u32 = 0x400;

/// Changes the network of the namespace in which it was opened.
pub(super) struct Links {
    netlink: Netlink,
}

impl Links {
    pub(super) fn open() -> io::Result<Self> {
        Ok(Self {
            netlink: Netlink::route()?,
        })
    }

    /// Brings the loopback device up, without which a host cannot even talk to itself.
    pub(super) fn loopback_up(&mut self) -> io::Result<()> {
        self.netlink
            .request(link(1, libc::IFF_UP as u32))
            .map_err(context("bringing lo up"))
    }

    /// Gives a device that is down its hardware address and a queue of `queue` frames, then brings it up.
    pub(super) fn device_up(&mut self, device: u32, mac: Mac, queue: u32) -> io::Result<()> {
        self.netlink
            .request(
                link(device, 0)
                    .attribute(libc::IFLA_ADDRESS, &mac.0)
                    .number(libc::IFLA_TXQLEN, queue)
                    .nested(libc::IFLA_AF_SPEC, |m| {
                        m.nested(libc::AF_INET6 as u16, |m| {
                            m.attribute(INET6_ADDR_GEN_MODE, &[ADDR_GEN_MODE_NONE])
                        })
                    }),
            )
            .map_err(context("setting a device's hardware address"))?;
        // A TAP device has its carrier from the start, so the kernel never has a reason to look and say "up".
        self.netlink
            .request(
                link(device, libc::IFF_UP as u32).attribute(libc::IFLA_OPERSTATE, &[OPERATIONAL]),
            )
            .map_err(context("bringing a device up"))
    }

    /// Sets the longest packet, in bytes, that the device sends.
    pub(super) fn mtu(&mut self, device: u32, mtu: u32) -> io::Result<()> {
        self.netlink
            .request(link(device, 0).number(libc::IFLA_MTU, mtu))
            .map_err(context("setting an MTU"))
    }

    /// Gives the device an address.
    pub(super) fn address(&mut self, device: u32, ip: IpAddr, prefix: u8) -> io::Result<()> {
        let (family, octets) = family_and_octets(ip);
        let flags = if ip.is_ipv6() { IFA_F_NODAD } else { 0 };
        let mut fixed = vec![family, prefix, flags, 0];
        fixed.extend(device.to_ne_bytes());
        let mut message = Message::new(libc::RTM_NEWADDR, CREATE, &fixed)
            .attribute(IFA_LOCAL, &octets)
            .attribute(IFA_ADDRESS, &octets);
        if let IpAddr::V4(ip) = ip {
            let broadcast = u32::from(ip) | u32::MAX.checked_shr(prefix.into()).unwrap_or(0);
            message = message.attribute(IFA_BROADCAST, &broadcast.to_be_bytes());
        }
        self.netlink
            .request(message)
            .map_err(context(format!("adding the address {ip}/{prefix}")))
    }

    /// Sends what is for these addresses to the device's own link.
    pub(super) fn route_on_link(&mut self, device: u32, ip: IpAddr, prefix: u8) -> io::Result<()> {
        let (family, octets) = family_and_octets(ip);
        let message = route(family, prefix, libc::RT_SCOPE_LINK)
            .attribute(RTA_DST, &octets)
            .number(RTA_OIF, device);
        self.netlink
            .request(message)
            .map_err(context(format!("adding the route to {ip}/{prefix}")))
    }

    /// Sends what has no better route to `gateway`.
    pub(super) fn default_route(&mut self, device: u32, gateway: IpAddr) -> io::Result<()> {
        let (family, octets) = family_and_octets(gateway);
        let message = route(family, 0, libc::RT_SCOPE_UNIVERSE)
            .attribute(RTA_GATEWAY, &octets)
            .number(RTA_OIF, device);
        self.netlink
            .request(message)
            .map_err(context(format!("adding the default route to {gateway}")))
    }

    /// Says once and for all which hardware address a neighbor has, so that nobody asks for it on the wire.
    pub(super) fn neighbor(&mut self, device: u32, ip: IpAddr, mac: Mac) -> io::Result<()> {
        let (family, octets) = family_and_octets(ip);
        let mut fixed = vec![family, 0, 0, 0];
        fixed.extend(device.to_ne_bytes());
        fixed.extend(NUD_PERMANENT.to_ne_bytes());
        fixed.extend([0, 0]);
        let message = Message::new(libc::RTM_NEWNEIGH, CREATE, &fixed)
            .attribute(NDA_DST, &octets)
            .attribute(NDA_LLADDR, &mac.0);
        self.netlink
            .request(message)
            .map_err(context(format!("adding the neighbor {ip}")))
    }

    /// Is the device ready to carry frames?
    pub(super) fn is_operational(&mut self, device: u32) -> io::Result<bool> {
        let mut ready = false;
        let ask = Message::new(libc::RTM_GETLINK, 0, &device_header(0, 0));
        self.netlink.dump(ask, |kind, body| {
            ready |= kind == libc::RTM_NEWLINK && says_operational(body, device);
        })?;
        Ok(ready)
    }
}

/// Waits for what the kernel does later, on a worker of its own: open it first, then cause the event, then wait.
pub(super) struct Events(Netlink);

impl Events {
    pub(super) fn open() -> io::Result<Self> {
        let netlink = Netlink::route()?;
        netlink.subscribe(RTMGRP_LINK | RTMGRP_IPV6_ROUTE)?;
        Ok(Self(netlink))
    }

    /// Waits until packets to all these addresses, just added, reach this host itself.
    ///
    /// The kernel puts an IPv6 address to use in a worker, also when told not to look for duplicates. Until the worker
    /// has added the address's local route, packets to it are lost.
    pub(super) fn wait_for_local(&self, mut missing: Vec<Ipv6Addr>) -> io::Result<()> {
        while !missing.is_empty() {
            self.0.event(|kind, body| {
                // `struct rtmsg`: family, lengths of destination and source, tos, table, protocol, scope, type, flags.
                if kind == libc::RTM_NEWROUTE && body.len() >= 12 && body[7] == RTN_LOCAL {
                    let route = attributes(&body[12..]).find(|(kind, _)| *kind == RTA_DST);
                    missing.retain(|ip| route.is_none_or(|(_, octets)| octets != ip.octets()));
                }
            })?;
        }
        Ok(())
    }

    /// Waits until the device is ready to carry frames. `now` says whether it is already.
    pub(super) fn wait_for_carrier(&self, device: u32, now: bool) -> io::Result<()> {
        let mut ready = now;
        while !ready {
            self.0.event(|kind, body| {
                ready |= kind == libc::RTM_NEWLINK && says_operational(body, device);
            })?;
        }
        Ok(())
    }
}

/// A message that adds a route: `struct rtmsg`.
fn route(family: u8, prefix: u8, scope: u8) -> Message {
    let (table, protocol, unicast) = (libc::RT_TABLE_MAIN, libc::RTPROT_STATIC, libc::RTN_UNICAST);
    Message::new(
        libc::RTM_NEWROUTE,
        CREATE,
        &[
            family, prefix, 0, 0, table, protocol, scope, unicast, 0, 0, 0, 0,
        ],
    )
}

/// A message that changes a device, and sets these flags of it.
fn link(device: u32, flags: u32) -> Message {
    Message::new(libc::RTM_NEWLINK, 0, &device_header(device, flags))
}

/// `struct ifinfomsg`: family, padding, type, index, flags, and which flags are meant.
fn device_header(device: u32, flags: u32) -> [u8; 16] {
    let mut fixed = [0; 16];
    fixed[4..8].copy_from_slice(&device.to_ne_bytes());
    fixed[8..12].copy_from_slice(&flags.to_ne_bytes());
    fixed[12..16].copy_from_slice(&flags.to_ne_bytes());
    fixed
}

/// Does this `RTM_NEWLINK` say that the device is ready?
fn says_operational(body: &[u8], device: u32) -> bool {
    body.len() >= 16
        && u32_at(body, 4) == device
        && attributes(&body[16..])
            .any(|(kind, value)| kind == libc::IFLA_OPERSTATE && value == [OPERATIONAL])
}

fn family_and_octets(ip: IpAddr) -> (u8, Vec<u8>) {
    match ip {
        IpAddr::V4(ip) => (libc::AF_INET as u8, ip.octets().to_vec()),
        IpAddr::V6(ip) => (libc::AF_INET6 as u8, ip.octets().to_vec()),
    }
}
