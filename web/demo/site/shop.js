// What the pages do: the cart, the checkout, signing in, and telling Ripen of it.
import {
    CURRENCY, findProduct, FREE_SHIPPING_FROM, SHIPPING,
} from './catalogue.js';
import { PICTURES } from './pictures.js';

const { dataset } = document.body;
const spoken = JSON.parse(dataset.spoken);
const language = document.documentElement.lang;
const one = (selector) => document.querySelector(selector);
const all = (selector) => document.querySelectorAll(selector);

window.ripen = window.ripen || [];
const tell = (...command) => window.ripen.push(command);

// ---- What the browser keeps -------------------------------------------------------------------

function read(key, otherwise) {
    try {
        return JSON.parse(localStorage.getItem(`shop.${key}`)) ?? otherwise;
    } catch {
        return otherwise;
    }
}

function write(key, value) {
    try {
        localStorage.setItem(`shop.${key}`, JSON.stringify(value));
    } catch {
        // Without storage the cart lasts as long as the page.
    }
}

// ---- Cart ------------------------------------------------------------------------------------

let cart = read('cart', []).filter((line) => findProduct(line.id));

function keepCart(lines) {
    cart = lines;
    write('cart', lines);
    showCount();
}

function showCount() {
    one('[data-count]').textContent = String(cart.reduce((sum, line) => sum + line.quantity, 0));
}

const money = (amount) => new Intl.NumberFormat(language, {
    style: 'currency', currency: CURRENCY, maximumFractionDigits: 0,
}).format(amount);

const goodsOf = (lines) =>
    lines.reduce((sum, line) => sum + findProduct(line.id).price * line.quantity, 0);

const shippingOf = (goods) => (goods >= FREE_SHIPPING_FROM ? 0 : SHIPPING);

// A product as events name it; names are English in both languages, so that they count as one.
function describe(id, quantity) {
    const { category, price, en } = findProduct(id);
    return { product_id: id, name: en.name, category, price, currency: CURRENCY,
        ...(quantity ? { quantity } : {}) };
}

function add(id, quantity) {
    const line = cart.find((each) => each.id === id);
    keepCart(line
        ? cart.map((each) => (each === line
            ? { ...each, quantity: Math.min(9, each.quantity + quantity) } : each))
        : [...cart, { id, quantity }]);
    tell('track', 'Product Added', describe(id, quantity));
}

function element(name, attributes, ...content) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...content);
    return made;
}

function picture(id) {
    const template = document.createElement('template');
    template.innerHTML = PICTURES[id];
    return template.content.firstChild;
}

function lineOf({ id, quantity }, fixed) {
    const product = findProduct(id);
    const words = product[language] ?? product.en;
    const name = element('a', { href: `${dataset.home}products/${id}.html` }, words.name);
    const price = element('span', { class: 'line-price' }, money(product.price * quantity));
    if (fixed) return element('li', {}, picture(id), name, ` × ${quantity}`, price);
    const amount = element('input', {
        type: 'number', min: '1', max: '9', value: String(quantity),
        'aria-label': `${spoken.quantity}: ${words.name}`,
    });
    amount.addEventListener('change', () => {
        if (!amount.checkValidity() || amount.value === '') return;
        keepCart(cart.map((each) => (each.id === id
            ? { ...each, quantity: Number(amount.value) } : each)));
        price.textContent = money(product.price * Number(amount.value));
        showTotals(cart);
    });
    const remove = element('button', {
        type: 'button', class: 'link', 'aria-label': `${spoken.remove}: ${words.name}`,
    }, spoken.remove);
    remove.addEventListener('click', () => {
        tell('track', 'Product Removed', describe(id, quantity));
        keepCart(cart.filter((each) => each.id !== id));
        showCart();
        one('main a, main button').focus();
    });
    return element('li', {}, picture(id), name, amount, price, remove);
}

function showTotals(lines) {
    const goods = goodsOf(lines);
    const shipping = shippingOf(goods);
    one('[data-subtotal]').textContent = money(goods);
    one('[data-shipping]').textContent = shipping ? money(shipping) : spoken.free;
    one('[data-total]').textContent = money(goods + shipping);
}

function showLines(lines) {
    const list = one('[data-lines]');
    list.replaceChildren(...lines.map((line) => lineOf(line, 'fixed' in list.dataset)));
    showTotals(lines);
}

function showCart() {
    one('[data-empty]').hidden = cart.length > 0;
    one('[data-full]').hidden = cart.length === 0;
    if (cart.length) showLines(cart);
}

// ---- Forms -----------------------------------------------------------------------------------

// True when every field is right; else says what is wrong below each and goes to the first.
function check(form) {
    let first = null;
    for (const field of form.querySelectorAll('input[aria-describedby]')) {
        const { valueMissing, valid } = field.validity;
        const wrong = document.getElementById(`${field.id}-wrong`);
        wrong.textContent = valid ? '' : valueMissing ? spoken.required : spoken.badEmail;
        field.setAttribute('aria-invalid', String(!valid));
        if (!valid) first = first ?? field;
    }
    if (first) first.focus();
    return !first;
}

// A form with mistakes is not submitted, for Ripen neither: the listener comes before its own.
function onSubmit(form, sent) {
    window.addEventListener('submit', (event) => {
        if (event.target !== form) return;
        event.preventDefault();
        if (check(form)) return;
        event.stopImmediatePropagation();
    }, true);
    form.addEventListener('submit', sent);
}

function onThanks(form, text) {
    onSubmit(form, () => {
        form.querySelector('[data-said]').textContent = text;
        form.reset();
    });
}

// ---- Pages -----------------------------------------------------------------------------------

const PAGES = {
    category: () => tell('track', 'Product List Viewed', { category: dataset.category }),

    product() {
        const id = dataset.product;
        tell('track', 'Product Viewed', describe(id));
        const form = one('#add');
        form.addEventListener('submit', (event) => {
            event.preventDefault();
            add(id, form.elements.quantity.valueAsNumber);
            one('[data-added]').textContent = spoken.added;
            one('[data-after]').hidden = false;
        });
    },

    article: () => tell('track', 'Article Viewed',
        { article_id: dataset.article, topic: dataset.topic }),

    cart() {
        showCart();
        tell('track', 'Cart Viewed', { value: goodsOf(cart), currency: CURRENCY,
            products: cart.map((line) => describe(line.id, line.quantity)) });
    },

    checkout() {
        showCart();
        if (!cart.length) return;
        tell('track', 'Checkout Started', { value: goodsOf(cart), currency: CURRENCY,
            products: cart.map((line) => describe(line.id, line.quantity)) });
        const form = one('#checkout');
        const email = read('email', '');
        if (email) form.elements.email.value = email;
        onSubmit(form, () => {
            const goods = goodsOf(cart);
            const shipping = shippingOf(goods);
            const order = { id: `${Date.now().toString(36)}-${crypto.getRandomValues(
                new Uint16Array(1))[0].toString(36)}`.toUpperCase(), lines: cart };
            tell('track', 'Order Completed', {
                order_id: order.id, revenue: goods, shipping, total: goods + shipping,
                currency: CURRENCY, products: cart.map((line) => describe(line.id, line.quantity)),
            });
            write('order', order);
            keepCart([]);
            location.href = `${dataset.home}thanks.html`;
        });
    },

    thanks() {
        const order = read('order', null);
        if (!order) {
            one('[data-order]').textContent = spoken.noOrder;
            one('.totals').hidden = true;
            return;
        }
        one('[data-order] strong').textContent = order.id;
        showLines(order.lines);
    },

    'sign-in'() {
        const form = one('#sign-in');
        const show = () => {
            const email = read('email', '');
            form.hidden = Boolean(email);
            one('[data-signed-in]').hidden = !email;
            one('[data-who]').textContent = email ? `${spoken.signedIn} ${email}` : '';
        };
        onSubmit(form, () => {
            const email = form.elements.email.value.trim().toLowerCase();
            write('email', email);
            tell('identify', email, { email, language });
            show();
            one('[data-sign-out]').focus();
        });
        one('[data-sign-out]').addEventListener('click', () => {
            write('email', '');
            tell('reset');
            show();
            form.elements.email.focus();
        });
        show();
    },

    plan: () => onThanks(one('#planting-plan'), spoken.planThanks),
};

// ---- Every page ------------------------------------------------------------------------------

function offerConsent() {
    const button = one('[data-consent]');
    let recorded = read('recorded', true);
    const show = () => {
        button.textContent = recorded ? spoken.stop : spoken.resume;
    };
    button.addEventListener('click', () => {
        recorded = !recorded;
        write('recorded', recorded);
        tell('consent', recorded);
        one('[data-consent-said]').textContent = recorded ? '' : spoken.stopped;
        show();
    });
    show();
}

showCount();
offerConsent();
onThanks(one('#newsletter'), spoken.subscribed);
PAGES[dataset.page]?.();
