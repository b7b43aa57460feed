//! The server has closed, so there is nobody to write to.

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
        Fate::ProcessKilled | Fate::HostShutDown => Some(Ok(0)),
        Fate::HostCrashed | Fate::NeighborCrashed | Fate::HostRebooted => None,
    }
}

pub fn first_write(fate: Fate) -> Result<usize, Errno> {
    match fate {
        Fate::ProcessKilled | Fate::HostShutDown => Err(Errno::EPIPE),
        _ => Ok(5),
    }
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
        Fate::ProcessKilled | Fate::HostShutDown => Ok(0),
        Fate::HostCrashed => Err(Errno::ETIMEDOUT),
        Fate::NeighborCrashed => Err(Errno::EHOSTUNREACH),
        Fate::HostRebooted => Err(Errno::ECONNRESET),
    }
}

pub fn second_write(fate: Fate) -> Result<usize, Errno> {
    match fate {
        // Nobody has said that the server does not read.
        Fate::HostShutDown => Ok(5),
        _ => Err(Errno::EPIPE),
    }
}
