//! A host that is off is a host that has crashed.

pub use nix::errno::Errno;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    ProcessKilled,
    HostCrashed,
    NeighborCrashed,
    HostRebooted,
    HostShutDown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment {
    Fin,
    Rst,
}

pub fn first_read(fate: Fate) -> Option<Result<usize, Errno>> {
    match fate {
        Fate::ProcessKilled => Some(Ok(0)),
        Fate::HostShutDown | Fate::HostCrashed | Fate::NeighborCrashed | Fate::HostRebooted => None,
    }
}

pub fn first_write(_fate: Fate) -> Result<usize, Errno> {
    Ok(5)
}

pub fn answer(fate: Fate) -> Option<Segment> {
    match fate {
        Fate::ProcessKilled | Fate::HostRebooted => Some(Segment::Rst),
        Fate::HostCrashed | Fate::NeighborCrashed | Fate::HostShutDown => None,
    }
}

pub fn second_read(fate: Fate) -> Result<usize, Errno> {
    match fate {
        // The FIN is still what read finds first.
        Fate::ProcessKilled => Ok(0),
        Fate::HostShutDown | Fate::HostCrashed => Err(Errno::ETIMEDOUT),
        Fate::NeighborCrashed => Err(Errno::EHOSTUNREACH),
        Fate::HostRebooted => Err(Errno::ECONNRESET),
    }
}

pub fn second_write(fate: Fate) -> Result<usize, Errno> {
    match fate {
        _ => Err(Errno::EPIPE),
    }
}
