// The pages of the shop as HTML. `at` says where a page stands: language and depth, so that every
// address in it is relative and the shop works under any path.
import { ARTICLES } from './articles.mjs';
import { draw, drawOrchard } from './drawings.mjs';
import { CATEGORIES, CURRENCY, PRODUCTS } from './site/catalogue.js';
import { SPOKEN, TEXTS } from './texts.mjs';

const escape = (text) => String(text).replace(/[&<>"]/g,
    (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign]);

const money = (amount, language) => new Intl.NumberFormat(language, {
    style: 'currency', currency: CURRENCY, maximumFractionDigits: 0,
}).format(amount);

const LOGO = '<svg class="logo" viewBox="0 0 24 24" aria-hidden="true" focusable="false">' +
    '<path class="leaf" d="M12 6c0-3 3-5 7-5 0 4-3 6-7 5z"/>' +
    '<circle class="red" cx="8" cy="15" r="6"/>' +
    '<circle class="plum" cx="16" cy="16" r="6"/>' +
    '<path class="stroke thin" d="M12 6c-2 1-4 2-4 4"/></svg>';

class Place {
    constructor(language, path) {
        this.language = language;
        this.path = path;
        this.t = TEXTS[language];
        const depth = path.split('/').length - 1 + (language === 'en' ? 0 : 1);
        this.files = '../'.repeat(depth);                       // Where style and scripts lie.
        this.home = '../'.repeat(path.split('/').length - 1);   // Front page, this language.
        this.server = this.files + '../';                       // Where ripen.js lies.
        this.other = this.files + (language === 'en' ? 'ja/' : '') + path;
    }

    to(path) {
        return this.home + path;
    }

    money(amount) {
        return money(amount, this.language);
    }
}

function header(at) {
    const { t } = at;
    const here = (path) => (at.path === path ? ' aria-current="page"' : '');
    const link = (path, text) =>
        `<li><a href="${at.to(path)}"${here(path)}>${escape(text)}</a></li>`;
    return `<a class="skip" href="#content">${t.skip}</a>
<header class="head"><div class="wide bar">
<a class="brand" href="${at.to('index.html')}">${LOGO}<span>${t.shop}</span></a>
<nav class="menu" aria-label="${t.menu}"><ul>
${Object.entries(CATEGORIES).map(([id, name]) => link(`${id}.html`, name[at.language])).join('\n')}
${link('journal.html', t.journal)}
${link('planting-plan.html', t.plan)}
</ul></nav>
<ul class="tools">
<li><a href="${at.other}" lang="${at.language === 'en' ? 'ja' : 'en'}" hreflang="${
    at.language === 'en' ? 'ja' : 'en'}">${t.otherLanguage}</a></li>
<li><a href="${at.to('sign-in.html')}" data-account>${t.signIn}</a></li>
<li><a class="cart-link" href="${at.to('cart.html')}">${t.cart}
<span class="count" data-count>0</span></a></li>
</ul></div></header>`;
}

function footer(at) {
    const { t } = at;
    return `<footer class="foot"><div class="wide columns">
<form id="newsletter" class="letter" novalidate>
<h2>${t.letter}</h2><p>${t.letterText}</p>
${emailField(at, 'newsletter-email')}
<input type="hidden" name="list" value="harvest-letter">
<button class="button quiet">${t.subscribe}</button>
<p class="said" role="status" data-said></p>
</form>
<div class="about"><p>${t.demo}</p>
<p><button class="link" type="button" data-consent>${t.stop}</button></p>
<p class="said" role="status" data-consent-said></p></div>
</div></footer>`;
}

function emailField(at, id) {
    return field(at, id, at.t.email,
        { type: 'email', name: 'email', autocomplete: 'email', trait: 'email' });
}

function field(at, id, label, more = {}) {
    const { type = 'text', name = id, autocomplete, trait, hint, optional } = more;
    const described = [`${id}-wrong`, hint && `${id}-hint`].filter(Boolean).join(' ');
    return `<div class="field"><label for="${id}">${label}</label>
<input id="${id}" name="${name}" type="${type}"${optional ? '' : ' required'}${
    autocomplete ? ` autocomplete="${autocomplete}"` : ''}${
    trait ? ` data-ripen-trait="${trait}"` : ''} aria-describedby="${described}">
${hint ? `<p class="hint" id="${id}-hint">${hint}</p>` : ''}
<p class="wrong" id="${id}-wrong"></p></div>`;
}

function page(at, { title, body, kind, attributes = '' }) {
    const { t } = at;
    const spoken = Object.fromEntries(SPOKEN.map((key) => [key, t[key]]));
    const full = title ? `${title} · ${t.shop}` : `${t.shop}: ${t.tagline}`;
    return `<!doctype html>
<html lang="${at.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${escape(full)}</title>
<meta name="description" content="${escape(t.tagline)}">
<link rel="icon" href="${at.files}icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${at.files}shop.css">
<link rel="alternate" hreflang="${at.language === 'en' ? 'ja' : 'en'}" href="${at.other}">
<script async src="${at.server}ripen.js" data-key="__RIPEN_WRITE_KEY__"
    data-server="__RIPEN_API__"></script>
<script type="module" src="${at.files}shop.js"></script>
</head>
<body data-page="${kind}" data-home="${at.home}"
    data-spoken="${escape(JSON.stringify(spoken))}"${attributes}>
${header(at)}
<main id="content">
${body}
</main>
${footer(at)}
</body>
</html>
`;
}

function card(at, product) {
    const words = product[at.language];
    return `<li class="card"><a href="${at.to(`products/${product.id}.html`)}">${draw(product.id)}
<span class="card-name">${words.name}</span><span class="card-line">${words.line}</span>
<span class="card-price">${at.money(product.price)}</span></a></li>`;
}

const cards = (at, products) =>
    `<ul class="cards">${products.map((each) => card(at, each)).join('\n')}</ul>`;

function teaser(at, article, level) {
    const words = article[at.language];
    return `<li class="teaser"><${level}><a href="${at.to(`journal/${article.id}.html`)}">${
        words.title}</a></${level}><p>${words.lead}</p></li>`;
}

const teasers = (at, articles, level = 'h3') =>
    `<ul class="teasers">${articles.map((each) => teaser(at, each, level)).join('\n')}</ul>`;

function front(at) {
    const { t } = at;
    return page(at, {
        kind: 'home',
        body: `<section class="hero"><div class="wide hero-inner"><div class="hero-words">
<h1>${t.heroTitle}</h1>
<p class="lead">${t.heroText}</p>
<p><a class="button" href="${at.to('kitchen.html')}">${t.heroButton}</a></p></div></div>
${drawOrchard()}</section>
<section class="wide"><h2>${t.seasonal}</h2>
${cards(at, ['fruit-press', 'preserving-jars', 'picking-basket', 'plum-tree'].map(
    (id) => PRODUCTS.find((product) => product.id === id)))}</section>
<section class="wide"><h2>${t.fromJournal}</h2>${teasers(at, ARTICLES.slice(0, 3))}
<p><a href="${at.to('journal.html')}">${t.allArticles}</a></p></section>`,
    });
}

function category(at, id) {
    const name = CATEGORIES[id][at.language];
    return page(at, {
        title: name,
        kind: 'category',
        attributes: ` data-category="${id}"`,
        body: `<div class="wide"><h1>${name}</h1><p class="lead">${at.t.categoryText[id]}</p>
${cards(at, PRODUCTS.filter((product) => product.category === id))}</div>`,
    });
}

function product(at, item) {
    const { t } = at;
    const words = item[at.language];
    const reading = ARTICLES.filter((article) => article.products.includes(item.id));
    return page(at, {
        title: words.name,
        kind: 'product',
        attributes: ` data-product="${item.id}"`,
        body: `<div class="wide product"><div class="stage">${draw(item.id, 'picture large')}</div>
<div><p class="crumb"><a href="${at.to(`${item.category}.html`)}">${
    CATEGORIES[item.category][at.language]}</a></p>
<h1>${words.name}</h1><p class="lead">${words.line}</p>
<p>${words.text}</p><p class="price">${at.money(item.price)}</p>
<form id="add" class="add" data-ripen-ignore><label for="quantity">${t.quantity}</label>
<input id="quantity" name="quantity" type="number" min="1" max="9" value="1" required>
<button class="button">${t.add}</button></form>
<p class="said" role="status" data-added></p>
<p class="after" data-after hidden><a href="${at.to('cart.html')}">${t.goCart}</a></p>
<p class="hint">${t.delivery}</p></div></div>
${reading.length ? `<section class="wide"><h2>${t.alsoRead}</h2>
${teasers(at, reading)}</section>` : ''}`,
    });
}

function journal(at) {
    return page(at, {
        title: at.t.journal,
        kind: 'journal',
        body: `<div class="wide"><h1>${at.t.journal}</h1><p class="lead">${at.t.journalText}</p>
${teasers(at, ARTICLES, 'h2')}</div>`,
    });
}

function article(at, piece) {
    const words = piece[at.language];
    return page(at, {
        title: words.title,
        kind: 'article',
        attributes: ` data-article="${piece.id}" data-topic="${piece.topic}"`,
        body: `<article class="text">
<p class="crumb"><a href="${at.to('journal.html')}">${at.t.journal}</a></p>
<h1>${words.title}</h1><p class="lead">${words.lead}</p>
${words.text.map((paragraph) => `<p>${paragraph}</p>`).join('\n')}</article>
<section class="wide"><h2>${at.t.fitting}</h2>
${cards(at, PRODUCTS.filter((item) => piece.products.includes(item.id)))}</section>`,
    });
}

function totals(at) {
    const { t } = at;
    return `<dl class="totals"><div><dt>${t.subtotal}</dt><dd data-subtotal></dd></div>
<div><dt>${t.shipping}</dt><dd data-shipping></dd></div>
<div class="sum"><dt>${t.total}</dt><dd data-total></dd></div></dl>`;
}

function cart(at) {
    const { t } = at;
    return page(at, {
        title: t.cart,
        kind: 'cart',
        body: `<div class="wide narrow"><h1>${t.cart}</h1>
<div data-empty hidden><p>${t.emptyCart}</p>
<p><a class="button" href="${at.to('index.html')}">${t.keepLooking}</a></p></div>
<div data-full hidden><ul class="lines" data-lines data-ripen-ignore></ul>${totals(at)}
<p class="right"><a class="button" href="${at.to('checkout.html')}">${t.toCheckout}</a></p>
</div></div>`,
    });
}

function checkout(at) {
    const { t } = at;
    return page(at, {
        title: t.checkout,
        kind: 'checkout',
        body: `<div class="wide"><h1>${t.checkout}</h1><p class="lead">${t.checkoutText}</p>
<div data-empty hidden><p>${t.emptyCart}</p>
<p><a class="button" href="${at.to('index.html')}">${t.keepLooking}</a></p></div>
<div class="split" data-full hidden><form id="checkout" novalidate>
<fieldset><legend>${t.contact}</legend>
${field(at, 'email', t.email, { type: 'email', autocomplete: 'email', trait: 'email' })}
${field(at, 'name', t.name, { autocomplete: 'name', trait: 'name' })}</fieldset>
<fieldset><legend>${t.address}</legend>
${field(at, 'street', t.street, { autocomplete: 'street-address' })}
<div class="pair">${field(at, 'postcode', t.postcode, { autocomplete: 'postal-code' })}
${field(at, 'city', t.city, { autocomplete: 'address-level2', trait: 'city' })}</div></fieldset>
<fieldset><legend>${t.payment}</legend>
${field(at, 'card', t.card,
    { autocomplete: 'cc-number', hint: t.cardHint, optional: true })}</fieldset>
<p class="check"><input id="news" name="news" type="checkbox" data-ripen-trait="newsletter">
<label for="news">${t.news}</label></p>
<button class="button">${t.order}</button></form>
<section class="summary" aria-labelledby="your-order"><h2 id="your-order">${t.yourOrder}</h2>
<ul class="lines" data-lines data-fixed></ul>${totals(at)}</section></div></div>`,
    });
}

function thanks(at) {
    const { t } = at;
    return page(at, {
        title: t.thanks,
        kind: 'thanks',
        body: `<div class="wide narrow"><h1>${t.thanks}</h1>
<p class="lead" data-order>${t.thanksText} <strong></strong></p>
<ul class="lines" data-lines data-fixed></ul>${totals(at)}
<p><a class="button" href="${at.to('index.html')}">${t.backHome}</a></p></div>`,
    });
}

function signIn(at) {
    const { t } = at;
    return page(at, {
        title: t.signIn,
        kind: 'sign-in',
        body: `<div class="wide narrow"><h1>${t.signIn}</h1>
<form id="sign-in" novalidate><p>${t.signInText}</p>
${field(at, 'sign-in-email', t.email, { type: 'email', name: 'email', autocomplete: 'email' })}
<button class="button">${t.signIn}</button></form>
<div data-signed-in hidden><p><span data-who role="status"></span></p>
<p><button class="button quiet" type="button" data-sign-out>${t.signOut}</button></p></div></div>`,
    });
}

function plantingPlan(at) {
    const { t } = at;
    return page(at, {
        title: t.plan,
        kind: 'plan',
        body: `<div class="wide narrow"><h1>${t.planTitle}</h1><p class="lead">${t.planText}</p>
<form id="planting-plan" novalidate>
${emailField(at, 'plan-email')}
${field(at, 'plan-name', t.name, { name: 'name', autocomplete: 'name', trait: 'name' })}
<div class="field"><label for="size">${t.size}</label>
<select id="size" name="size" data-ripen-trait="plot">
${t.sizes.map((size, n) =>
    `<option value="${['balcony', 'small', 'middle', 'large'][n]}">${size}</option>`).join('')}
</select></div>
<div class="field"><label for="wishes">${t.wishes}</label>
<textarea id="wishes" name="wishes" rows="4"></textarea></div>
<button class="button">${t.planButton}</button>
<p class="said" role="status" data-said></p></form></div>`,
    });
}

// Every page as [path, HTML].
export function allPages() {
    const pages = [];
    for (const language of Object.keys(TEXTS)) {
        const put = (path, make, ...parameters) => pages.push([
            (language === 'en' ? '' : `${language}/`) + path,
            make(new Place(language, path), ...parameters),
        ]);
        put('index.html', front);
        for (const id of Object.keys(CATEGORIES)) put(`${id}.html`, category, id);
        for (const item of PRODUCTS) put(`products/${item.id}.html`, product, item);
        put('journal.html', journal);
        for (const piece of ARTICLES) put(`journal/${piece.id}.html`, article, piece);
        put('cart.html', cart);
        put('checkout.html', checkout);
        put('thanks.html', thanks);
        put('sign-in.html', signIn);
        put('planting-plan.html', plantingPlan);
    }
    return pages;
}

// The goods' pictures for the cart, by id.
export function pictures() {
    return Object.fromEntries(PRODUCTS.map((item) => [item.id, draw(item.id, 'picture small')]));
}
