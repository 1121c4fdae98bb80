import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Rung, dark, lifecycle, light, mind, rungColour, white } from './theme.ts';

type Triple = [number, number, number];

function linear(hex: string): Triple {
    const part = (at: number) => {
        const value = parseInt(hex.slice(at, at + 2), 16) / 255;
        return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    };
    return [part(1), part(3), part(5)];
}

// WCAG 2.2, relative luminance and contrast ratio.
function luminance(hex: string): number {
    const [r, g, b] = linear(hex);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function ratio(a: string, b: string): number {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high! + 0.05) / (low! + 0.05);
}

for (const [name, scheme] of [['light', light], ['dark', dark]] as const) {
    test(`${name}: every text reads on page, panel, shade and soft leaf`, () => {
        for (const ground of [scheme.page, scheme.panel, scheme.shade, scheme.leafSoft]) {
            for (const ink of ['ink', 'ink2', 'leaf', 'danger', 'warn', 'info', 'ok'] as const) {
                assert.ok(ratio(scheme[ink], ground) >= 4.5, `${ink} on ${ground}`);
            }
        }
    });
    test(`${name}: buttons, inputs and stage lines are seen`, () => {
        assert.ok(ratio(scheme.onLeaf, scheme.leaf) >= 4.5);
        assert.ok(ratio(scheme.onLeaf, scheme.leafHover) >= 4.5);
        assert.ok(ratio(scheme.onDanger, scheme.danger) >= 4.5);
        for (const ground of [scheme.page, scheme.panel]) {
            assert.ok(ratio(scheme.lineStrong, ground) >= 3);
            assert.ok(ratio(scheme.stageLine, ground) >= 3);
        }
    });
}

test('the digit reads on every stage', () => {
    for (const rung of [...mind, ...lifecycle]) {
        assert.ok(ratio(rung.text === 'white' ? white : light.ink, rung.fill) >= 4.5, rung.fill);
    }
});

test('lightness falls at each rung', () => {
    for (const ladder of [mind, lifecycle]) {
        const falls = ladder.map((rung) => luminance(rung.fill));
        assert.deepEqual(falls, [...falls].sort((a, b) => b - a));
    }
});

// Machado, Oliveira, Fernandes 2009, severity 1, on linear light.
const eyes: Record<string, Triple[]> = {
    normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    protan: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998]],
    deutan: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881]],
    tritan: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039]],
};

function lab(hex: string, eye: Triple[]): Triple {
    const rgb = linear(hex);
    const seen = eye.map((row) => Math.min(1, Math.max(0,
        row[0] * rgb[0] + row[1] * rgb[1] + row[2] * rgb[2]))) as Triple;
    const xyz = [
        (0.4124564 * seen[0] + 0.3575761 * seen[1] + 0.1804375 * seen[2]) / 0.95047,
        0.2126729 * seen[0] + 0.7151522 * seen[1] + 0.072175 * seen[2],
        (0.0193339 * seen[0] + 0.119192 * seen[1] + 0.9503041 * seen[2]) / 1.08883,
    ].map((v) => (v > 0.008856 ? Math.cbrt(v) : 7.787 * v + 16 / 116));
    return [116 * xyz[1]! - 16, 500 * (xyz[0]! - xyz[1]!), 200 * (xyz[1]! - xyz[2]!)];
}

const rad = Math.PI / 180;

// CIEDE2000 (Sharma, Wu, Dalal 2005).
function difference([l1, a1, b1]: Triple, [l2, a2, b2]: Triple): number {
    const c7 = ((Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2) ** 7;
    const g = 0.5 * (1 - Math.sqrt(c7 / (c7 + 25 ** 7)));
    const [x1, x2] = [a1 * (1 + g), a2 * (1 + g)];
    const [c1, c2] = [Math.hypot(x1, b1), Math.hypot(x2, b2)];
    const hue = (x: number, y: number) => (Math.atan2(y, x) / rad + 360) % 360;
    const [h1, h2] = [hue(x1, b1), hue(x2, b2)];
    let dh = h2 - h1;
    if (dh > 180) dh -= 360;
    if (dh < -180) dh += 360;
    const dH = 2 * Math.sqrt(c1 * c2) * Math.sin((dh / 2) * rad);
    const [lm, cm] = [(l1 + l2) / 2, (c1 + c2) / 2];
    let hm = (h1 + h2) / 2;
    if (Math.abs(h1 - h2) > 180) hm += hm < 180 ? 180 : -180;
    const t = 1 - 0.17 * Math.cos((hm - 30) * rad) + 0.24 * Math.cos(2 * hm * rad)
        + 0.32 * Math.cos((3 * hm + 6) * rad) - 0.2 * Math.cos((4 * hm - 63) * rad);
    const sl = 1 + (0.015 * (lm - 50) ** 2) / Math.sqrt(20 + (lm - 50) ** 2);
    const [sc, sh] = [1 + 0.045 * cm, 1 + 0.015 * cm * t];
    const rt = -2 * Math.sqrt(cm ** 7 / (cm ** 7 + 25 ** 7))
        * Math.sin(60 * Math.exp(-(((hm - 275) / 25) ** 2)) * rad);
    const [dl, dc, dq] = [(l2 - l1) / sl, (c2 - c1) / sc, dH / sh];
    return Math.sqrt(dl ** 2 + dc ** 2 + dq ** 2 + rt * dc * dq);
}

function closest(ladder: Rung[], eye: Triple[]): number {
    const labs = ladder.map((rung) => lab(rung.fill, eye));
    return Math.min(...labs.flatMap((one, i) => labs.slice(i + 1).map((two) =>
        difference(one, two))));
}

test('any two stages differ for every kind of eye', () => {
    const least: Record<string, number> =
        { normal: 15.8, protan: 14.3, deutan: 13.2, tritan: 13.7 };
    for (const [name, eye] of Object.entries(eyes)) {
        assert.ok(closest(mind, eye) >= least[name]!, `mind, ${name}: ${closest(mind, eye)}`);
        assert.ok(closest(lifecycle, eye) >= 16.8, `lifecycle, ${name}`);
    }
});

test('a ladder of fewer rungs takes the colours meant for it', () => {
    assert.deepEqual([1, 2].map((at) => rungColour(at, 2)), [2, 7]);
    assert.deepEqual([1, 2, 3, 4, 5].map((at) => rungColour(at, 5)), [1, 2, 4, 5, 7]);
    assert.equal(rungColour(9, 9), 7);
});
