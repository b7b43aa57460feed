//! What do the daytime pair do when a call goes wrong that hardly ever does?

use std::net::SocketAddr;
use std::process::ExitCode;

use lab::Kind;
use lab::prelude::*;

const CLIENT: &str = env!("CARGO_BIN_EXE_daytime-tcp-client");
const SERVER: &str = env!("CARGO_BIN_EXE_daytime-tcp-server");
const LINE: &str = "Sat Nov 21 08:38:14 2026\r\n";

fn main() -> ExitCode {
    Suite::new("faults")
        .section("01-introduction#errors-that-name-their-call")
        .check(each_call_of_the_client_is_named_when_it_fails)
        .check(each_call_of_the_server_is_named_when_it_fails)
        .check(a_line_that_comes_byte_by_byte_is_a_line)
        .check(what_one_write_does_not_take_the_next_does)
        .check(a_client_that_gets_no_answer_costs_no_other_its_own)
        .main()
}

/// Ends with 1, and one line that begins with the call.
fn each_call_of_the_client_is_named_when_it_fails(cx: &Check) -> Verdict {
    let listener = cx.listens(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let at = listener.address()?.to_string();
    for (call, errno, said) in [
        (Call::Socket, Errno::EMFILE, "socket: EMFILE: "),
        (Call::Connect, Errno::EINTR, "connect: EINTR: "),
        (Call::Connect, Errno::ENOBUFS, "connect: ENOBUFS: "),
        (Call::Read, Errno::EINTR, "read: EINTR: "),
        (Call::Read, Errno::ETIMEDOUT, "read: ETIMEDOUT: "),
    ] {
        let plan = match call {
            // The loader reads files; the client reads from its socket.
            Call::Read => Faults::new().on(call).at_a(Kind::Stream),
            call => Faults::new().on(call),
        };
        let spawner = cx.spawner().faults(plan.nth(1).fails(errno));
        let mut client = spawner.program(CLIENT, &[&at])?;
        let calls = client.calls()?;
        client.exits(1)?;
        calls.met_every_fault()?;
        let error = client.stderr();
        ensure!(
            error.starts_with(&format!("error: {said}")) && error.lines().count() == 1,
            "{call:?} failed with {errno:?}, and the client said {error:?}"
        );
    }
    PASS
}

fn each_call_of_the_server_is_named_when_it_fails(cx: &Check) -> Verdict {
    for (call, errno, said) in [
        (Call::Socket, Errno::ENFILE, "socket: ENFILE: "),
        (Call::Bind, Errno::EADDRINUSE, "bind: EADDRINUSE: "),
        (Call::Listen, Errno::EADDRINUSE, "listen: EADDRINUSE: "),
        (Call::Accept, Errno::EMFILE, "accept: EMFILE: "),
    ] {
        let plan = Faults::new().on(call).nth(1).fails(errno);
        let mut server = cx.spawner().faults(plan).program(SERVER, &[""; 0])?;
        let calls = server.calls()?;
        server.exits(1)?;
        calls.met_every_fault()?;
        let error = server.stderr();
        ensure!(
            error.starts_with(&format!("error: {said}")) && error.lines().count() == 1,
            "{call:?} failed with {errno:?}, and the server said {error:?}"
        );
    }
    PASS
}

fn a_line_that_comes_byte_by_byte_is_a_line(cx: &Check) -> Verdict {
    let listener = cx.listens(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let at = listener.address()?.to_string();
    let plan = Faults::new().on(Call::Read).at_a(Kind::Stream).at_most(1);
    let spawner = cx.spawner().faults(plan);
    let mut client = spawner.program(CLIENT, &["--reads", &at])?;
    let peer = listener.accepts()?;
    peer.sends(LINE)?;
    peer.closes();
    let printed = client.exits(0)?;
    // Carriage returns do not come through the lab's terminal.
    let wanted = LINE.replace('\r', "") + "bytes: 26, reads: 26\n";
    ensure!(printed == wanted, "the client printed {printed:?}");
    PASS
}

fn what_one_write_does_not_take_the_next_does(cx: &Check) -> Verdict {
    let plan = Faults::new().on(Call::Write).at_a(Kind::Stream).at_most(3);
    let mut server = cx.spawner().faults(plan).program(SERVER, &[""; 0])?;
    let calls = server.calls()?;
    let peer = cx.connects(address_of(&mut server)?)?;
    let line = peer.receives_to_end()?;
    ensure!(line.len() == LINE.len(), "{} bytes came", line.len());
    calls
        .of(Call::Write)
        .that("to the client", |c| c.value() != Some(0))
        .at_least(9)?;
    PASS
}

fn a_client_that_gets_no_answer_costs_no_other_its_own(cx: &Check) -> Verdict {
    let plan = Faults::new()
        .on(Call::Write)
        .at_a(Kind::Stream)
        .nth(1)
        .fails(Errno::EPIPE);
    let mut server = cx.spawner().faults(plan).program(SERVER, &[""; 0])?;
    let calls = server.calls()?;
    let at = address_of(&mut server)?;
    let unlucky = cx.connects(at)?.receives_to_end()?;
    ensure!(unlucky.is_empty(), "the first client was told {unlucky:?}");
    let next = cx.connects(at)?.receives_to_end()?;
    ensure!(next.len() == LINE.len(), "the next client got {next:?}");
    calls.met_every_fault()?;
    let said = server.stderr();
    ensure!(
        said.starts_with("a client got no answer: write: EPIPE: "),
        "the server said {said:?}"
    );
    PASS
}

fn address_of(server: &mut Program) -> Result<SocketAddr, Finding> {
    let address = server.line_after("listening on ")?;
    let address = address.parse();
    address.map_err(|_| Finding::fail("what the server prints is no address"))
}
