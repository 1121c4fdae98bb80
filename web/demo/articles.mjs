// The journal: pieces for readers who do not want to buy anything yet.

export const ARTICLES = [
    {
        id: 'when-is-an-apple-ripe', topic: 'harvest', products: ['picking-basket', 'fruit-press'],
        en: {
            title: 'When is an apple ripe?', lead: 'Four signs that do not need a laboratory.',
            text: ['Cup the apple in your hand and lift it by a quarter turn. A ripe one lets go ' +
                'of its branch without a pull; one that resists wants another week.',
            'Then look at the pips. White ones say too early, brown ones say now. The ground ' +
                'colour of the skin, below the red, turns from green to yellow at the same time.',
            'Late varieties are picked hard and finish on a shelf. Lay them so that they do not ' +
                'touch, and look through them once a week.'],
        },
        ja: {
            title: 'りんごの食べごろはいつ？', lead: '実験室のいらない4つの目印。',
            text: ['りんごを手のひらで包み、4分の1ほど回しながら持ち上げます。熟していれば引っぱらなくても' +
                '枝から離れます。抵抗があれば、あと1週間待ちます。',
            '次に種を見ます。白ければ早すぎ、茶色なら今です。赤の下にある皮の地色も、同じころ緑から' +
                '黄色に変わります。',
            '晩生の品種は硬いうちに収穫し、棚で追熟させます。互いに触れないように並べ、週に一度' +
                '見てまわります。'],
        },
    },
    {
        id: 'pruning-in-winter', topic: 'care', products: ['pruning-shears', 'orchard-ladder'],
        en: {
            title: 'Pruning in winter without fear', lead: 'Three cuts that every tree forgives.',
            text: ['Begin with what is dead, then with what rubs, then with what grows inward. ' +
                'Most trees are done after these three.',
            'Cut just outside the collar, the slight swelling where a branch begins. There the ' +
                'tree closes the wound by itself; a stub only invites rot.',
            'Stop when a hat thrown through the crown would come out on the other side. More ' +
                'light than that makes water shoots.'],
        },
        ja: {
            title: '冬の剪定をこわがらない', lead: 'どの木も許してくれる3つの切り方。',
            text: ['枯れた枝、こすれ合う枝、内側に伸びる枝の順に切ります。ほとんどの木はこの3つで' +
                '終わりです。',
            '枝の付け根のふくらみのすぐ外側で切ります。そこなら木が自分で傷をふさぎます。' +
                '切り残しは腐れのもとです。',
            '帽子を投げて樹冠を通り抜けるくらいになったら、やめどきです。それ以上明るくすると' +
                '徒長枝が増えます。'],
        },
    },
    {
        id: 'press-or-juicer', topic: 'buying', products: ['fruit-press', 'jam-pan'],
        en: {
            title: 'Press or juicer: what fits your harvest', lead: 'A comparison by kilograms.',
            text: ['Below twenty kilograms a year a kitchen juicer is enough. Above that the ' +
                'time spent on washing it grows faster than the juice.',
            'A press wants the fruit crushed first, and gives about six litres for ten ' +
                'kilograms. The pomace goes on the compost or into jelly.',
            'Juice that is heated to 78 degrees and closed hot keeps for two years. A jam pan ' +
                'heats ten litres evenly in a quarter of an hour.'],
        },
        ja: {
            title: 'プレスかジューサーか：収穫量で選ぶ', lead: 'キロ数で比べてみました。',
            text: ['年に20キロまでなら台所のジューサーで足ります。それを超えると、ジュースの量より' +
                '洗う時間のほうが増えていきます。',
            'プレスは先に果実を砕く必要があり、10キロから約6リットル搾れます。搾りかすは堆肥や' +
                'ゼリーになります。',
            '78度まで温めて熱いうちに閉じたジュースは2年もちます。ジャム鍋なら10リットルを' +
                '15分で均一に温められます。'],
        },
    },
    {
        id: 'jam-that-sets', topic: 'kitchen', products: ['jam-pan', 'preserving-jars'],
        en: {
            title: 'Jam that sets without a packet', lead: 'Pectin, acid, sugar, and a cold plate.',
            text: ['Unripe fruit has the most pectin, ripe fruit the most taste. One part of the ' +
                'first to three of the second makes both.',
            'Boil fast and in small amounts. When a drop on a cold plate wrinkles under your ' +
                'finger, it is done; five minutes later it is toffee.',
            'Fill the jars to the brim while it boils and turn them once. What is left in the ' +
                'pan belongs to the cook.'],
        },
        ja: {
            title: '市販の凝固剤なしで固まるジャム', lead: 'ペクチンと酸と砂糖、そして冷たい皿。',
            text: ['ペクチンは未熟な果実に、風味は熟した果実に多く含まれます。1対3で混ぜると両方が' +
                'そろいます。',
            '少量ずつ強火で煮ます。冷たい皿に落とした一滴が指の下でしわになれば完成です。5分過ぎる' +
                'と飴になります。',
            '沸いているうちに口まで詰め、一度だけ逆さにします。鍋に残った分は作った人のものです。'],
        },
    },
];
