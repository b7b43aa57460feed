//! The sum servers, in text and in structures.

use lab::prelude::*;

const SERVER: &str = env!("CARGO_BIN_EXE_tcp-sum-server");
const CLIENT: &str = env!("CARGO_BIN_EXE_tcp-sum-client");

/// Starts a server with these arguments, and gives its address.
fn start(cx: &Check, arguments: &[&str]) -> Result<(Program, String), Finding> {
    let mut server = cx.program(SERVER, arguments)?;
    let address = server.line_after("listening on ")?;
    Ok((server, address))
}

/// What a client with these arguments before the address says of `a` and `b`.
fn ask(cx: &Check, how: &[&str], at: &str, a: &str, b: &str) -> Result<String, Finding> {
    let arguments = [how, &[at, a, b]].concat();
    Ok(cx
        .program(CLIENT, &arguments)?
        .exits(0)?
        .trim_end()
        .to_owned())
}

/// Text has neither word size nor byte order.
pub fn text_is_text_everywhere(cx: &Check) -> Verdict {
    let (_server, at) = start(cx, &[])?;
    for (a, b, sum) in [
        ("1", "2", "1 + 2 = 3"),
        ("200", "100", "200 + 100 = 300"),
        ("-22", "-77", "-22 + -77 = -99"),
        (
            "9223372036854775807",
            "0",
            "9223372036854775807 + 0 = 9223372036854775807",
        ),
        (
            "9223372036854775807",
            "1",
            "9223372036854775807 + 1 = error: the sum is too large",
        ),
    ] {
        let said = ask(cx, &[], &at, a, b)?;
        ensure!(said == sum, "expected {sum:?}, the client said {said:?}");
    }
    PASS
}

/// What is no question is answered in words, and the next one is served.
pub fn a_wrong_question_gets_an_answer(cx: &Check) -> Verdict {
    let (_server, at) = start(cx, &[])?;
    let at = at.parse().map_err(|_| Finding::fault("no address"))?;
    let client = cx.connects(at)?;
    for wrong in [
        "1\n",
        "1 2 3\n",
        "one two\n",
        "\n",
        "9999999999999999999 1\n",
    ] {
        client.sends(wrong)?;
        client.expects("error: send two numbers in a line\n")?;
    }
    client.sends(b"\xff\xfe\n")?;
    client.expects("error: this is no text\n")?;
    // Two questions in one piece, one in two.
    client.sends("1 2\n3")?;
    client.expects("3\n")?;
    client.sends(" 4\n")?;
    client.expects("7\n")?;
    // A line without end must not fill the memory.
    client.sends("1".repeat(81))?;
    ensure!(
        client.receives(1).is_err(),
        "a line of 81 bytes was answered"
    );
    PASS
}

/// Each pair of machines, and what comes of 1 + 2 and of 200 + 100.
pub fn structures_need_the_same_machine(cx: &Check) -> Verdict {
    let same = ["1 + 2 = 3", "200 + 100 = 300"];
    for (server, client, expected) in [
        ("x86-64", "x86-64", same),
        ("sparc", "sparc", same),
        ("network", "network", same),
        // No digit is carried from one byte to the next, so the order does not matter. Then one is.
        ("x86-64", "s390x", ["1 + 2 = 3", "200 + 100 = 44"]),
        ("i386", "sparc", ["1 + 2 = 3", "200 + 100 = 44"]),
        (
            "x86-64",
            "i386",
            [
                "1 + 2 = the server ended after 0 of 4 bytes",
                "200 + 100 = the server ended after 0 of 4 bytes",
            ],
        ),
        // The server takes one long for two: the high half of a small number is zero.
        (
            "i386",
            "x86-64",
            ["1 + 2 = 8589934593", "200 + 100 = 429496729800"],
        ),
    ] {
        let (_running, at) = start(cx, &["--struct", server])?;
        for ((a, b), expected) in [("1", "2"), ("200", "100")].into_iter().zip(expected) {
            let said = ask(cx, &["--struct", client], &at, a, b)?;
            ensure!(
                said == expected,
                "{client} to {server}: {said:?}, not {expected:?}"
            );
        }
    }
    // A negative number of four bytes is one of eight bytes as well.
    let (_running, at) = start(cx, &["--struct", "sparc"])?;
    let said = ask(cx, &["--struct", "sparc"], &at, "-22", "-77")?;
    ensure!(said == "-22 + -77 = -99", "the client said {said:?}");
    PASS
}
