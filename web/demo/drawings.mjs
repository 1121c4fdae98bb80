// The goods, drawn. Each picture is 200 x 200 and stands on a soft disc; colours are classes of
// site/shop.css, so that they follow light and dark.

const SHAPES = {
    'fruit-press': `
        <path class="wood" d="M62 78h76l-6 66H68z"/>
        <path class="line" d="M78 78l4 66M100 78v66M122 78l-4 66"/>
        <path class="iron" d="M56 72h88v8H56zM62 142h76v9H62z"/>
        <path class="iron" d="M96 30h8v44h-8z"/>
        <path class="iron" d="M66 30h68v8H66z"/><circle class="wood" cx="64" cy="34" r="7"/>
        <circle class="wood" cx="136" cy="34" r="7"/>
        <path class="iron" d="M70 151l-9 21h9l8-21zM130 151l9 21h-9l-8-21z"/>
        <path class="plum" d="M138 146h16v4l6 7h-9l-5-5h-8z"/>
        <path class="plum" d="M154 162c4 6 4 9 0 10-4-1-4-4 0-10z"/>`,
    'jam-pan': `
        <path class="copper" d="M44 92h112l-16 54a12 12 0 0 1-11 8H71a12 12 0 0 1-11-8z"/>
        <ellipse class="copper2" cx="100" cy="92" rx="56" ry="13"/>
        <ellipse class="plum" cx="100" cy="94" rx="46" ry="9"/>
        <path class="stroke" d="M44 96c-20-2-20 22 4 20M156 96c20-2 20 22-4 20"/>
        <path class="wood" d="M116 92l26-54 7 4-24 52z"/>
        <path class="line" d="M80 66c-6-8 6-12 0-20M100 66c-6-8 6-12 0-20"/>`,
    'preserving-jars': `
        <path class="glass" d="M50 84h46v68a8 8 0 0 1-8 8H58a8 8 0 0 1-8-8z"/>
        <path class="plum" d="M55 104h36v46a5 5 0 0 1-5 5H60a5 5 0 0 1-5-5z"/>
        <path class="steel" d="M54 72h38v12H54z"/><path class="red" d="M50 82h46v5H50z"/>
        <path class="glass" d="M104 64h46v88a8 8 0 0 1-8 8h-30a8 8 0 0 1-8-8z"/>
        <path class="apricot" d="M109 84h36v66a5 5 0 0 1-5 5h-26a5 5 0 0 1-5-5z"/>
        <path class="steel" d="M108 52h38v12h-38z"/><path class="red" d="M104 62h46v5h-46z"/>
        <path class="paper" d="M60 118h26v20H60zM114 108h26v24h-26z"/>
        <path class="line" d="M65 125h16M65 131h10M119 116h16M119 123h10"/>`,
    dehydrator: `
        <path class="steel"
        d="M46 56h108a8 8 0 0 1 8 8v76a8 8 0 0 1-8 8H46a8 8 0 0 1-8-8V64a8 8 0 0 1 8-8z"/>
        <path class="ink" d="M48 66h76v72H48z"/>
        <path class="stroke thin" d="M48 78h76M48 90h76M48 102h76M48 114h76M48 126h76"/>
        <g class="apricot"><circle cx="62" cy="84" r="4.500"/><circle cx="80" cy="84" r="4.500"/>
        <circle cx="98" cy="84" r="4.500"/><circle cx="70" cy="96" r="4.500"/>
        <circle cx="106" cy="96" r="4.500"/><circle cx="62" cy="108" r="4.500"/>
        <circle cx="88" cy="108" r="4.500"/><circle cx="76" cy="120" r="4.500"/></g>
        <circle class="paper" cx="143" cy="84" r="11"/><path class="stroke thin" d="M143 84v-8"/>
        <circle class="leaf" cx="143" cy="112" r="4"/>`,
    'pruning-shears': `
        <path class="steel" d="M96 92c-2-26 8-50 30-62 6 26-2 50-20 66z"/>
        <path class="steel" d="M104 92c-8-16-20-26-38-30 2 18 14 32 32 38z"/>
        <path class="red" d="M94 98c-10 24-26 44-28 66-1 8 9 10 12 3 8-20 18-40 26-62z"/>
        <path class="red" d="M106 98c10 24 26 44 28 66 1 8-9 10-12 3-8-20-18-40-26-62z"/>
        <circle class="iron" cx="100" cy="97" r="7"/>`,
    'picking-basket': `
        <path class="stroke" d="M58 96C58 30 142 30 142 96"/>
        <circle class="red" cx="78" cy="90" r="16"/>
        <circle class="apricot" cx="104" cy="84" r="17"/>
        <circle class="red" cx="126" cy="92" r="14"/>
        <path class="line" d="M78 75c2-6 6-8 10-8M104 68c2-6 6-8 10-8"/>
        <path class="wood" d="M46 96h108l-14 58a8 8 0 0 1-8 6H68a8 8 0 0 1-8-6z"/>
        <path class="line" d="M50 114h100M54 132h92M58 148h84M74 98l8 60M100 98v60M126 98l-8 60"/>`,
    'orchard-ladder': `
        <path class="stroke" d="M112 36l38 132"/>
        <path class="wood" d="M88 34h8L62 170H50zM104 34h8l22 136h-11z"/>
        <path class="wood" d="M84 62h28v7H82zM78 86h38v7H76zM72 110h48v7H70zM66 134h58v7H64z"/>
        <path class="leaf" d="M132 44c18-16 34-10 38-2-10 14-26 14-38 2z
        M140 62c12-4 24 2 26 10-12 4-24 0-26-10z"/>`,
    'watering-can': `
        <path class="steel" d="M72 84h70l6 70a8 8 0 0 1-8 8H74a8 8 0 0 1-8-8z"/>
        <path class="stroke" d="M142 96c34-6 34 48 2 46"/>
        <path class="stroke" d="M84 84c0-30 46-30 46 0"/>
        <path class="steel" d="M68 136L36 76l8-5 32 44z"/>
        <path class="copper" d="M26 78l20-14 4 6-20 14z"/>
        <path class="water" d="M24 92c4 6 4 9 0 10-4-1-4-4 0-10zM34 98c4 6 4 9 0 10-4-1-4-4 0-10z
        M22 112c4 6 4 9 0 10-4-1-4-4 0-10z"/>`,
    'apple-tree': `
        <path class="wood" d="M94 110h12l4 50H90z"/>
        <circle class="leaf" cx="100" cy="74" r="42"/><circle class="leaf2" cx="72" cy="88" r="26"/>
        <circle class="leaf2" cx="130" cy="86" r="26"/>
        <circle class="red" cx="86" cy="62" r="8"/><circle class="red" cx="118" cy="70" r="8"/>
        <circle class="red" cx="98" cy="96" r="8"/><circle class="red" cx="134" cy="96" r="8"/>
        <circle class="red" cx="66" cy="94" r="8"/>
        <path class="iron" d="M70 158h60l-6 16H76z"/>`,
    'plum-tree': `
        <path class="wood" d="M95 104h10l3 52H92z"/>
        <path class="leaf" d="M100 26c38 8 50 48 30 84H70C50 74 62 34 100 26z"/>
        <path class="leaf2" d="M100 26c20 20 22 60 8 84H70C50 74 62 34 100 26z"/>
        <g class="plum"><ellipse cx="84" cy="66" rx="8" ry="10"/>
        <ellipse cx="112" cy="58" rx="8" ry="10"/><ellipse cx="120" cy="90" rx="8" ry="10"/>
        <ellipse cx="92" cy="96" rx="8" ry="10"/></g>
        <path class="copper" d="M72 152h56l-8 24H80z"/>`,
};

export const drawn = Object.keys(SHAPES);

export function draw(id, className = 'picture') {
    return `<svg class="${className}" viewBox="0 0 200 200" aria-hidden="true" focusable="false">` +
        `<circle class="disc" cx="100" cy="102" r="88"/>${SHAPES[id].replace(/\n\s+/g, ' ')}</svg>`;
}

// The scene of the front page.
export function drawOrchard() {
    const tree = (x, y, size, fruit) => `<g transform="translate(${x} ${y}) scale(${size})">` +
        '<path class="wood" d="M-5 40h10l3 44H-8z"/><circle class="leaf" r="44"/>' +
        '<circle class="leaf2" cx="-24" cy="16" r="28"/>' +
        [[-18, -12], [14, -20], [22, 14], [-6, 18], [-32, 22], [2, -2]].map(([cx, cy]) =>
            `<circle class="${fruit}" cx="${cx}" cy="${cy}" r="7"/>`).join('') + '</g>';
    return '<svg class="orchard" viewBox="0 0 1440 460" aria-hidden="true" focusable="false" ' +
        'preserveAspectRatio="xMaxYMax slice"><circle class="sun" cx="1270" cy="120" r="70"/>' +
        '<path class="hill2"' +
        ' d="M0 400C260 330 470 380 700 330s330-60 480-20 180 20 260 0v150H0z"/>' +
        '<path class="hill" d="M0 440c240-40 420-20 640-30s330-70 520-50 180 10 280-10v110H0z"/>' +
        tree(880, 266, 1.25, 'red') + tree(1034, 284, 0.9, 'plum') +
        tree(1160, 262, 1.15, 'apricot') +
        tree(1340, 262, 1.15, 'red') +
        '<path class="wood" d="M1206 368h84l-10 54h-64z"/><circle class="red"' +
        ' cx="1228" cy="366" r="12"/>' +
        '<circle class="apricot" cx="1249" cy="361" r="13"/><circle class="red"' +
        ' cx="1270" cy="366" r="11"/>' +
        '</svg>';
}
