//! Grades `little-or-big`.
//!
//! No answer stands in here: each is read from the bytes, or is what this machine makes of them.

use std::ffi::c_ulong;
use std::mem::{offset_of, size_of};
use std::net::TcpListener;

use lab::prelude::*;
use little_or_big as answers;
use little_or_big::Order;

pub fn main() -> std::process::ExitCode {
    Grader::new("little-or-big")
        .section("05-tcp-client-server#text-or-binary")
        .check(1, the_text)
        .check(1, the_order)
        .check(1, the_size_of_a_long)
        .check(2, the_padding)
        .check(2, what_the_server_takes)
        .check(2, what_the_client_prints)
        .check(1, why_nobody_noticed)
        .main()
}

/// The text says its numbers to everybody.
fn the_text(cx: &Check) -> Verdict {
    const WHY: &str = "In text each byte is a character, and the characters 0 to 9 are 30 to 39 in hexadecimal; 20 is a blank and 0a a \
         newline. The digits stand in the order in which people write them, on every machine.";
    let exchange = Exchange::captured()?;
    let subject = cx.subject(|| (answers::numbers_in_text(), answers::sum_in_text()))?;
    let (numbers, sum) = subject.value()?;
    says("numbers_in_text()", numbers, exchange.numbers, decimal).because(WHY)?;
    says("sum_in_text()", sum, exchange.sum, |sum| sum.to_string()).because(WHY)
}

/// The order in which the client's machine keeps its bytes.
fn the_order(cx: &Check) -> Verdict {
    let exchange = Exchange::captured()?;
    let said = cx
        .subject(|| answers::order_of_the_client() == Order::BigEndian)?
        .value()?;
    if said == exchange.big {
        return PASS;
    }
    let long = &exchange.request[exchange.word..][..exchange.word];
    let (name, other) = if said {
        ("BigEndian", number(long, true))
    } else {
        ("LittleEndian", number(long, false))
    };
    let what = format!(
        "order_of_the_client() said {name}: then {} is {other}, and the client has said {} in text",
        hex(long),
        exchange.numbers.0
    );
    Err(Finding::fail(what)).because(
        "The bytes are the client's, in the order of the client's machine. Take a number that you know, from the text, and \
         look which end of it comes first.",
    )
}

/// How large a `long` is over there.
fn the_size_of_a_long(cx: &Check) -> Verdict {
    let exchange = Exchange::captured()?;
    let said = cx.subject(answers::size_of_long)?.value()?;
    says("size_of_long()", said, exchange.word, |size| size.to_string()).because(
        "A long has 4 bytes on machines of 32 bits and 8 on most of 64. With 4 the structure would be 12 bytes long: 1, \
         3 of padding, and twice 4.",
    )
}

/// The bytes between the fields.
fn the_padding(cx: &Check) -> Verdict {
    const WHY: &str = "A compiler puts a long at a multiple of its size, and leaves what is before it as it was: whatever \
         stood on the stack goes over the wire, too. A packed structure has none, and no two compilers need agree.";
    let exchange = Exchange::captured()?;
    let (from, length) = cx.subject(answers::padding_of_the_request)?.value()?;
    let expected = (1, exchange.word - 1);
    if (from, length) == expected {
        return PASS;
    }
    let request = &exchange.request;
    let mut what = format!("padding_of_the_request() said {length} bytes from byte {from}");
    let known = [
        exchange.bytes_of(exchange.numbers.0),
        exchange.bytes_of(exchange.numbers.1),
    ];
    let field = known.iter().find_map(|bytes| {
        let at = exchange.at(bytes)?;
        (at < from + length && from < at + bytes.len()).then_some((at, bytes))
    });
    if let Some((at, bytes)) = field {
        what += &format!(
            "; but from byte {at} stands {}, which is one of the numbers",
            hex(bytes)
        );
    } else if from == 0 && length > 0 {
        what += &format!(
            "; but byte 0 is {:02x}, which is '+', the operation",
            request[0]
        );
    } else {
        what += &format!(
            "; then bytes {} would be a field",
            hex(&request[expected.0..=expected.1])
        );
    }
    Err(Finding::fail(what)).because(WHY)
}

/// The numbers that the server has in its memory.
fn what_the_server_takes(cx: &Check) -> Verdict {
    const WHY: &str = "read copies bytes. Nobody on the way knows that they are numbers, and nobody turns them round: the server's \
         machine takes the first byte of each for the lowest.";
    let exchange = Exchange::captured()?;
    let numbers = exchange.taken_by_the_server();
    // Does this machine agree? Only if it is like the server.
    let (a, b) = (offset_of!(Request, a), offset_of!(Request, b));
    if cfg!(target_endian = "little") && size_of::<c_ulong>() == exchange.word {
        let there = |at: usize| number(&exchange.request[at..][..exchange.word], false);
        if numbers != (there(a), there(b)) {
            return Err(Finding::fault(
                "this machine reads the structure in another way",
            ));
        }
    }
    let said = cx.subject(answers::numbers_the_server_takes)?.value()?;
    if said == exchange.numbers {
        return Err(Finding::fail(format!(
            "numbers_the_server_takes() said {}: that is what the client meant",
            decimal(said)
        )))
        .because(WHY);
    }
    says("numbers_the_server_takes()", said, numbers, hexadecimal).because(WHY)
}

/// The sum that arrives at the client.
fn what_the_client_prints(cx: &Check) -> Verdict {
    const WHY: &str = "On the way back the bytes are turned round once more, so it looks as if both mistakes made it right. \
         But the server has added in its own order: where the client's low bytes overflow, the carry goes into the \
         server's next higher byte, and for the client that is the next lower one, or none.";
    let exchange = Exchange::captured()?;
    let (a, b) = exchange.taken_by_the_server();
    let answer = &exchange.answer[exchange.word..];
    if answer != a.wrapping_add(b).to_le_bytes() {
        return Err(Finding::fault("the server has added in another way"));
    }
    let said = cx.subject(answers::sum_the_client_prints)?.value()?;
    if said == exchange.sum {
        return Err(Finding::fail(format!(
            "sum_the_client_prints() said {said}, the right sum; but the bytes that arrive are {}",
            hex(answer)
        )))
        .because(WHY);
    }
    says(
        "sum_the_client_prints()",
        said,
        number(answer, exchange.big),
        |sum| format!("{sum} ({sum:#x})"),
    )
    .because(WHY)
}

/// Two small numbers, asked of a server that really runs here, over TCP.
fn why_nobody_noticed(cx: &Check) -> Verdict {
    let exchange = Exchange::captured()?;
    let said = cx.subject(answers::sum_of_1_and_2)?.value()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let at = listener.local_addr()?;
    let word = exchange.word;
    let mut request = exchange.request[..word].to_vec();
    request.extend(exchange.bytes_of(1));
    request.extend(exchange.bytes_of(2));
    let length = request.len();
    let server = cx.spawner().named("the server").subject(move || {
        let (connection, _) = listener.accept()?;
        let mut bytes = vec![0; length];
        std::io::Read::read_exact(&mut &connection, &mut bytes)?;
        // The server is little-endian, whatever machine this is.
        let sum =
            number(&bytes[word..2 * word], false).wrapping_add(number(&bytes[2 * word..], false));
        std::io::Write::write_all(&mut &connection, &sum.to_le_bytes()[..word])
    })?;
    let client = cx.connects(at)?.named("the client");
    client.sends(&request)?;
    let answer = client.receives(word)?;
    server.returns(Ok(()))?;
    says(
        "sum_of_1_and_2()",
        said,
        number(&answer, exchange.big),
        |sum| format!("{sum} ({sum:#x})"),
    )
    .because(
        "Without a carry, adding goes byte by byte, and the bytes come home in the order in which they left. A test with small \
         numbers passes, and so such programs are shipped.",
    )
}

/// The structure, as this machine's compiler lays it out.
#[repr(C)]
struct Request {
    _operation: u8,
    a: c_ulong,
    b: c_ulong,
}

/// The captured bytes, and what they say.
struct Exchange {
    request: Vec<u8>,
    answer: Vec<u8>,
    numbers: (u64, u64),
    sum: u64,
    /// Whether the client's machine is big-endian.
    big: bool,
    /// Bytes of a `long` on the client's machine.
    word: usize,
}

impl Exchange {
    fn captured() -> Result<Exchange, Finding> {
        let lines = include_str!("exchange.txt").lines().map(|line| {
            let bytes = line.split_whitespace().skip(2);
            bytes.map(|byte| u8::from_str_radix(byte, 16)).collect()
        });
        let lines: Result<Vec<Vec<u8>>, _> = lines.collect();
        let lines = lines.map_err(|error| Finding::fault(error.to_string()))?;
        let [asked, told, request, answer] = &lines[..] else {
            return Err(Finding::fault("four lines of bytes were expected"));
        };
        let numbers_of = |text: &[u8]| -> Vec<u64> {
            let text = String::from_utf8_lossy(text);
            let words = text.split_whitespace();
            words.filter_map(|word| word.parse().ok()).collect()
        };
        let (&[a, b], &[sum]) = (&numbers_of(asked)[..], &numbers_of(told)[..]) else {
            return Err(Finding::fault("the text does not say two numbers and one"));
        };
        // Which machine means by this structure what it has said in text? One kind only.
        let word = request.len() / 3;
        let meant = |big: bool| {
            let fields = request[word..].chunks(word).map(|field| number(field, big));
            fields.eq([a, b])
        };
        if !matches!(word, 4 | 8) || meant(true) == meant(false) {
            return Err(Finding::fault("the bytes do not tell what machine that is"));
        }
        Ok(Exchange {
            request: request.clone(),
            answer: answer.clone(),
            numbers: (a, b),
            sum,
            big: meant(true),
            word,
        })
    }

    /// A number as the client has it in memory.
    fn bytes_of(&self, number: u64) -> Vec<u8> {
        let mut bytes = number.to_le_bytes()[..self.word].to_vec();
        if self.big {
            bytes.reverse();
        }
        bytes
    }

    /// Where these bytes stand in the request.
    fn at(&self, bytes: &[u8]) -> Option<usize> {
        self.request
            .windows(bytes.len())
            .position(|window| window == bytes)
    }

    fn taken_by_the_server(&self) -> (u64, u64) {
        let field = |nth: usize| number(&self.request[nth * self.word..][..self.word], false);
        (field(1), field(2))
    }
}

/// The number that a machine of this order sees in these bytes.
fn number(bytes: &[u8], big: bool) -> u64 {
    let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    if big {
        bytes.iter().fold(0, add)
    } else {
        bytes.iter().rev().fold(0, add)
    }
}

fn says<T: PartialEq>(call: &str, said: T, stands: T, show: fn(T) -> String) -> Verdict {
    if said == stands {
        return PASS;
    }
    Err(Finding::fail(format!(
        "{call} said {}, which is not what the bytes say",
        show(said)
    )))
}

fn decimal((a, b): (u64, u64)) -> String {
    format!("({a}, {b})")
}

fn hexadecimal((a, b): (u64, u64)) -> String {
    format!("({a:#x}, {b:#x})")
}

fn hex(bytes: &[u8]) -> String {
    let all: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    all.join(" ")
}
