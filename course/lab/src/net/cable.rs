//! What connects a host's device with the switch?
//!
//! A TAP device: a network device whose other end is a descriptor (`tuntap.rst` in the kernel's documentation). A frame that the
//! host sends is read there; a frame written there is received by the host before `write` returns.
//!
//! The alternative, pairs of veth devices whose far ends are read by packet sockets, was measured with the same switch (two hosts,
//! kernel 6.18). Set-up, round trip and throughput are about the same. Ending the switch takes fifty times as long, because
//! closing a packet socket waits until the whole kernel has forgotten it; a check as a whole takes three times as long. veth also
//! carries segments of up to 64 KiB with unfinished checksums until five offloads are switched off; a TAP device never does.
//! veth would do without `/dev/net/tun`, which a container must be given.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;

use nix::errno::Errno;

use super::context;
use crate::system;

/// Frames that a cable holds until the switch takes them: more than the widest window of TCP, so none is ever lost here.
pub(super) const QUEUE: u32 = 8192;

/// The switch's end of a cable.
pub(super) struct Cable(File);

impl Cable {
    /// Makes the device `name` with this index in the namespace this process is in. It is down, and its carrier is on.
    pub(super) fn new(name: &str, index: u32) -> io::Result<Self> {
        let path = "/dev/net/tun";
        let tun = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(path)
            .map_err(context(path))?;
        // SAFETY: TUNSETIFINDEX reads an unsigned int.
        let numbered =
            unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETIFINDEX, &raw const index) };
        Errno::result(numbered)
            .map_err(io::Error::from)
            .map_err(context("numbering a TAP device"))?;
        // SAFETY: ifreq is plain data, valid as zeros.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
            *to = from as libc::c_char;
        }
        request.ifr_ifru.ifru_flags = (libc::IFF_TAP | libc::IFF_NO_PI) as i16;
        // SAFETY: TUNSETIFF reads and writes an ifreq.
        let made = unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
        Errno::result(made)
            .map_err(io::Error::from)
            .map_err(context("making a TAP device"))?;
        // The device ends with its namespace, which the kernel clears away in its own time. Without this it would end with
        // the descriptor, and the process that closes it would wait for the whole kernel to forget the device.
        // SAFETY: TUNSETPERSIST takes a number.
        let persists = unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETPERSIST, 1) };
        Errno::result(persists)
            .map_err(io::Error::from)
            .map_err(context("keeping a TAP device"))?;
        Ok(Self(system::own(tun.into())?.into()))
    }

    /// The next frame that the host sent, if there is one.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> Option<usize> {
        (&self.0).read(buffer).ok()
    }

    /// Gives the host a frame. False if its device is down or gone.
    pub(super) fn send(&self, frame: &[u8]) -> bool {
        (&self.0).write(frame).is_ok()
    }

    /// Puts the plug in or out: the host's device gets or loses its carrier.
    pub(super) fn set_carrier(&self, on: bool) {
        let on = libc::c_int::from(on);
        // SAFETY: TUNSETCARRIER reads an int. It can fail only when the device is gone, and then nobody misses the carrier.
        unsafe { libc::ioctl(self.0.as_raw_fd(), libc::TUNSETCARRIER, &raw const on) };
    }
}

impl AsFd for Cable {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
