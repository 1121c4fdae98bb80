// What the shop sells. Read by the build, which makes a page of each, and by the cart.

export const CURRENCY = 'EUR';
export const SHIPPING = 6;
export const FREE_SHIPPING_FROM = 120;

export const CATEGORIES = {
    kitchen: { en: 'Kitchen', ja: 'キッチン' },
    garden: { en: 'Garden', ja: 'ガーデン' },
    trees: { en: 'Trees', ja: '果樹' },
};

export const PRODUCTS = [
    {
        id: 'fruit-press', category: 'kitchen', price: 189,
        en: { name: 'Fruit press, 12 litres', line: 'Juice from your own apples in ten minutes',
            text: 'Beech staves, a cast iron foot and a spindle that one hand can turn. ' +
                'Presses twelve litres of fruit at a time and comes apart for washing.' },
        ja: { name: 'フルーツプレス 12L', line: '自家製りんごジュースを10分で',
            text: 'ブナ材の樽、鋳鉄の脚、片手で回せるスピンドル。一度に12リットル分を搾れ、' +
                '分解して洗えます。' },
    },
    {
        id: 'jam-pan', category: 'kitchen', price: 129,
        en: { name: 'Copper jam pan', line: 'Even heat, no burnt bottoms',
            text: 'Two millimetres of copper spread the heat so well that jam sets before it ' +
                'catches. Nine litres, iron handles, made to be handed down.' },
        ja: { name: '銅のジャム鍋', line: '均一に熱が回り、焦げつかない',
            text: '厚さ2ミリの銅が熱を均一に伝え、焦げる前にとろみがつきます。9リットル、' +
                '鉄の取っ手つき。代々使える鍋です。' },
    },
    {
        id: 'preserving-jars', category: 'kitchen', price: 24,
        en: { name: 'Preserving jars, set of six', line: 'Summer on a shelf',
            text: 'Half-litre jars with glass lids, rubber rings and steel clips. They seal ' +
                'themselves while they cool, and open with a pull.' },
        ja: { name: '保存びん 6個セット', line: '夏を棚に並べる',
            text: 'ガラスのふた、ゴムパッキン、スチールのクリップがついた500mlのびん。' +
                '冷めるときに自然に密封されます。' },
    },
    {
        id: 'dehydrator', category: 'kitchen', price: 149,
        en: { name: 'Fruit dryer', line: 'Six trays, quiet enough for the night',
            text: 'Dries six trays of apple rings overnight at the temperature you set, and uses ' +
                'less power than an old light bulb.' },
        ja: { name: 'フルーツドライヤー', line: '6段トレイ、夜でも静か',
            text: '設定した温度で、りんごの輪切り6段分を一晩で乾燥。消費電力は昔の電球より' +
                '少なめです。' },
    },
    {
        id: 'pruning-shears', category: 'garden', price: 48,
        en: { name: 'Pruning shears', line: 'Cuts that heal',
            text: 'A forged blade that can be sharpened and replaced, and a handle that turns ' +
                'with your wrist. For branches up to 24 millimetres.' },
        ja: { name: '剪定ばさみ', line: '傷口がきれいにふさがる切れ味',
            text: '研ぎ直しも交換もできる鍛造刃と、手首に合わせて回るハンドル。' +
                '24ミリまでの枝に使えます。' },
    },
    {
        id: 'picking-basket', category: 'garden', price: 36,
        en: { name: 'Picking basket', line: 'Both hands free on the ladder',
            text: 'Woven willow with a canvas strap and a flat bottom. Carries eight kilograms ' +
                'without bruising what lies below.' },
        ja: { name: '収穫かご', line: 'はしごの上でも両手が自由',
            text: '柳を編み、帆布のストラップをつけた底の平らなかご。8キロ入れても下の果実を' +
                '傷めません。' },
    },
    {
        id: 'orchard-ladder', category: 'garden', price: 219,
        en: { name: 'Orchard ladder, three legs', line: 'Stands where four legs wobble',
            text: 'The third leg goes between the branches and finds its footing on any slope. ' +
                'Light enough to carry on one shoulder.' },
        ja: { name: '果樹園の三脚はしご', line: '四脚では揺れる場所にも立つ',
            text: '三本目の脚が枝の間に入り、斜面でもしっかり立ちます。片方の肩で運べる軽さ' +
                'です。' },
    },
    {
        id: 'watering-can', category: 'garden', price: 42,
        en: { name: 'Watering can, 9 litres', line: 'A rose as fine as rain',
            text: 'Galvanised steel with a brass rose. The long neck reaches the back row and ' +
                'the balance stays in the middle.' },
        ja: { name: 'じょうろ 9L', line: '雨のように細かい水',
            text: '亜鉛めっき鋼に真鍮のはす口。長い首が奥の列まで届き、重心は中央に保たれます。' },
    },
    {
        id: 'apple-tree', category: 'trees', price: 39,
        en: { name: 'Apple tree, old variety', line: 'First fruit in its third year',
            text: 'A two-year-old tree on a rootstock that stays below three metres. Late ' +
                'flowering, so that spring frost seldom hurts it.' },
        ja: { name: 'りんごの木（古い品種）', line: '3年目に初めての実',
            text: '高さ3メートル未満におさまる台木に接いだ2年生の苗。開花が遅く、春の霜の害を' +
                '受けにくい品種です。' },
    },
    {
        id: 'plum-tree', category: 'trees', price: 44,
        en: { name: 'Plum tree', line: 'Needs no partner',
            text: 'Sets fruit by itself, ripens in September and keeps its plums firm for ' +
                'baking. Arrives in a pot, to be planted at any time.' },
        ja: { name: 'プラムの木', line: '1本だけで実がなる',
            text: '1本で結実し、9月に熟します。焼き菓子に向く実の締まったプラム。鉢植えで届く' +
                'ので、いつでも植えられます。' },
    },
];

export const findProduct = (id) => PRODUCTS.find((product) => product.id === id);
