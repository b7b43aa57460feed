//! A signal in the middle, an empty table of descriptors: the library's calls go on.

use std::net::{SocketAddr, TcpListener, TcpStream};

use lab::prelude::*;
use nix::libc::{self, c_int};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use nix::sys::socket::{Backlog, listen};
use tcp_client_server::accept::next_client;
use tcp_client_server::connection::connect_to;
use tcp_client_server::echo::echo;
use tcp_client_server::signals::on_signal;

extern "C" fn does_nothing(_signal: c_int) {}

/// The least help that the kernel may give: no `SA_RESTART`.
fn catch_signals() -> Result<(), String> {
    on_signal(Signal::SIGUSR1, does_nothing, 0).map_err(|error| error.to_string())
}

pub fn accept_goes_on_after_a_signal(cx: &Check) -> Verdict {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let at = listener.local_addr()?;
    let subject = cx.subject(move || {
        catch_signals()?;
        next_client(&listener)
            .map(drop)
            .map_err(|error| error.to_string())
    })?;
    for _ in 0..3 {
        subject.waits_in(&["accept4"])?;
        subject.signal(Signal::SIGUSR1);
    }
    subject.waits_in(&["accept4"])?;
    let _client = TcpStream::connect(at)?;
    subject.returns(Ok(()))?;
    PASS
}

pub fn the_echo_goes_on_after_a_signal(cx: &Check) -> Verdict {
    let (peer, end) = cx.tcp_pair()?;
    let subject = cx.subject(move || {
        catch_signals()?;
        echo(&end).map_err(|error| error.to_string())
    })?;
    for text in ["one", "two"] {
        subject.waits_in(&["read"])?;
        subject.signal(Signal::SIGUSR1);
        subject.waits_in(&["read"])?;
        peer.sends(text)?;
        peer.expects(text)?;
    }
    peer.shuts_down_writing()?;
    subject.returns(Ok(6))?;
    PASS
}

/// The listener's queue is full, so the handshake takes a second, and a signal comes meanwhile.
pub fn connect_goes_on_after_a_signal(cx: &Check) -> Verdict {
    cx.allows_long_waits();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listen(&listener, Backlog::new(0)?)?;
    let at = listener.local_addr()?;
    let _first = TcpStream::connect(at)?;
    let subject = cx.subject(move || {
        catch_signals()?;
        connect_to(at).map(drop).map_err(|error| error.to_string())
    })?;
    subject.waits_in(&["connect"])?;
    subject.signal(Signal::SIGUSR1);
    subject.waits_in(&["poll", "ppoll"])?;
    subject.signal(Signal::SIGUSR1);
    subject.waits_in(&["poll", "ppoll"])?;
    let _accepted = listener.accept()?;
    subject.returns(Ok(()))?;
    PASS
}

/// Nobody is there when the handshake was interrupted: the error is that of `connect`.
pub fn an_interrupted_connect_says_how_it_ended(cx: &Check) -> Verdict {
    cx.allows_long_waits();
    let net = cx.lan(&["client", "server"])?;
    net.introduce()?;
    let rule = net.rule(
        lab::net::Rule::on(lab::net::Match::tcp().from("client"))
            .nth(1)
            .drop(),
    )?;
    let at = SocketAddr::from(([10, 0, 0, 2], 7000));
    let subject = cx.on(&net, "client").subject(move || {
        catch_signals()?;
        connect_to(at).map(drop).map_err(|error| error.to_string())
    })?;
    subject.waits_in(&["connect"])?;
    subject.signal(Signal::SIGUSR1);
    let refused = "connect: ECONNREFUSED: Connection refused".to_owned();
    subject.returns(Err(refused))?;
    ensure!(net.lift(rule)? == 1, "the first SYN was not lost");
    PASS
}

/// No descriptor is left: the client waits in the queue, and is served once there is one.
pub fn a_client_waits_for_a_descriptor(cx: &Check) -> Verdict {
    cx.allows_long_waits();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let _client = TcpStream::connect(listener.local_addr()?)?;
    let subject = cx.subject(move || {
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(|errno| errno.to_string())?;
        setrlimit(Resource::RLIMIT_NOFILE, 3, hard).map_err(|errno| errno.to_string())?;
        next_client(&listener)
            .map(drop)
            .map_err(|error| error.to_string())
    })?;
    subject.waits_in(&["clock_nanosleep", "nanosleep"])?;
    let limit = libc::rlimit {
        rlim_cur: 100,
        rlim_max: 100,
    };
    let none = std::ptr::null_mut();
    // SAFETY: the limit is a whole one, and nobody asks for the old one.
    let set = unsafe { libc::prlimit(subject.pid(), libc::RLIMIT_NOFILE, &raw const limit, none) };
    Errno::result(set)?;
    subject.returns(Ok(()))?;
    PASS
}
