//! What does the network on the bench cost? It prints ratios, for times do not travel from machine to machine.
//!
//! `cargo bench -p lab --bench net`. It must be run as root, or as `unshare -Urn`.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use lab::net::Net;
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};

const ROUND_TRIPS: u32 = 2000;
const BULK: usize = 16 << 20;

fn main() -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNET)?;
    let namespace = median(|| {
        let began = Instant::now();
        unshare(CloneFlags::CLONE_NEWNET)?;
        Ok(began.elapsed())
    })?;
    let build = median(|| {
        let began = Instant::now();
        let net = Net::lan(&["client", "server"])?;
        let built = began.elapsed();
        drop(net);
        Ok(built)
    })?;
    let drop_it = median(|| {
        let net = Net::lan(&["client", "server"])?;
        let began = Instant::now();
        drop(net);
        Ok(began.elapsed())
    })?;
    println!("one network namespace    1");
    println!("a LAN of two hosts       {:.1}", ratio(build, namespace));
    println!("taking it down           {:.1}", ratio(drop_it, namespace));

    let net = Net::lan(&["client", "server"])?;
    let (client, server) = (net.host("client"), net.host("server"));
    let listener = client.run(|| TcpListener::bind((Ipv4Addr::LOCALHOST, 7)))?;
    let (loopback_trip, loopback_bulk) = talk(
        || client.run(|| TcpStream::connect((Ipv4Addr::LOCALHOST, 7))),
        &listener,
    )?;
    let listener = server.run(|| TcpListener::bind((server.v4(), 7)))?;
    let (trip, bulk) = talk(
        || client.run(|| TcpStream::connect((server.v4(), 7))),
        &listener,
    )?;
    println!(
        "round trip, of loopback's        {:.1}",
        ratio(trip, loopback_trip)
    );
    println!(
        "16 MiB one way, of loopback's    {:.1}",
        ratio(bulk, loopback_bulk)
    );
    Ok(())
}

/// How long a round trip of one byte takes, and how long a lot of bytes.
fn talk(
    connect: impl Fn() -> io::Result<TcpStream>,
    listener: &TcpListener,
) -> io::Result<(Duration, Duration)> {
    let mut ours = connect()?;
    let (mut theirs, _) = listener.accept()?;
    ours.set_nodelay(true)?;
    theirs.set_nodelay(true)?;
    // SAFETY: this process has one thread.
    let child = match unsafe { fork() }? {
        ForkResult::Child => {
            drop(ours);
            let mut echo = || -> io::Result<()> {
                let mut byte = [0];
                for _ in 0..ROUND_TRIPS {
                    theirs.read_exact(&mut byte)?;
                    theirs.write_all(&byte)?;
                }
                io::copy(&mut theirs, &mut io::sink())?;
                theirs.write_all(&byte)
            };
            let status = i32::from(echo().is_err());
            // SAFETY: ends this process at once; nothing of it is needed.
            unsafe { libc::_exit(status) }
        }
        ForkResult::Parent { child } => child,
    };
    drop(theirs);
    let mut byte = [0];
    let began = Instant::now();
    for _ in 0..ROUND_TRIPS {
        ours.write_all(&byte)?;
        ours.read_exact(&mut byte)?;
    }
    let trip = began.elapsed() / ROUND_TRIPS;
    let began = Instant::now();
    ours.write_all(&vec![0; BULK])?;
    ours.shutdown(std::net::Shutdown::Write)?;
    ours.read_exact(&mut byte)?;
    let bulk = began.elapsed();
    waitpid(child, None)?;
    Ok((trip, bulk))
}

fn median(measure: impl Fn() -> io::Result<Duration>) -> io::Result<Duration> {
    let mut times = (0..50).map(|_| measure()).collect::<io::Result<Vec<_>>>()?;
    times.sort();
    Ok(times[times.len() / 2])
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}
