// The box for numbers: what the reader types is shown byte for byte, in both orders.

export default function bytes(figure) {
    const box = figure.querySelector("input");
    const size = figure.querySelector("select");
    const sum = figure.querySelector(".sum");
    // In the page's language.
    const words = sum.textContent.match(/;(\D*)/)[1];

    const read = (text) => {
        try {
            return text.trim() === "" ? null : BigInt(text.trim());
        } catch {
            return null;
        }
    };
    const hex = (number, count) => number.toString(16).padStart(count * 2, "0");
    const show = () => {
        const count = Number(size.value) / 8;
        const number = read(box.value);
        const fits = number !== null && number >= 0n && number >> BigInt(count * 8) === 0n;
        box.setAttribute("aria-invalid", String(!fits));
        if (!fits) {
            sum.textContent = `0 … ${(1n << BigInt(count * 8)) - 1n}`;
            return;
        }
        const big = hex(number, count).match(/../g);
        const little = [...big].reverse();
        for (const [name, order] of [["little", little], ["big", big], ["wire", big]]) {
            const row = figure.querySelector(`tr.${name}`);
            while (row.cells.length > 1) row.deleteCell(1);
            for (const byte of order) row.insertCell().textContent = byte;
        }
        const misread = BigInt(`0x${little.join("")}`);
        sum.textContent = `${number} = 0x${hex(number, count)};${words}${misread} = 0x${hex(misread, count)}`;
    };
    box.addEventListener("input", show);
    size.addEventListener("change", show);
    figure.classList.add("ready");
}
