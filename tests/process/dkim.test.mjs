// Signatures of our letters, judged by a verifier that is not ours, as a real mail server got them.
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { dkimVerify } from 'mailauth/lib/dkim/verify.js';

import { MAIL_CONFIG, Sink, freshServer, makeDirectory, until } from './ripen.mjs';

// What the owner of the domain publishes.
function dnsText(privateKey) {
    const key = createPublicKey(privateKey);
    const der = key.export({ type: 'spki', format: 'der' });
    // RFC 8463: an Ed25519 key is published as its 32 bytes.
    return key.asymmetricKeyType === 'ed25519'
        ? `v=DKIM1; k=ed25519; p=${der.subarray(der.length - 32).toString('base64')}`
        : `v=DKIM1; k=rsa; p=${der.toString('base64')}`;
}

const JOURNEY = {
    name: 'Welcome',
    entry: { event: 'Signed Up' },
    steps: [{
        id: 'l1', type: 'letter',
        subject: 'Grüße an {{ person.first_name }} und ようこそ',
        text: 'Line one\n.\n..two dots\nFrom here on ' + 'long '.repeat(300) + '\n\n\n',
        html: '<p>Hello {{ person.first_name }}, <a href="https://example.test/x?a=1&amp;b=2">' +
            'look</a></p>',
    }],
};

for (const [kind, make] of [
    ['rsa2048', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['ed25519', () => generateKeyPairSync('ed25519')],
]) {
    test(`letters signed with ${kind} pass, and fail once a byte is changed`, async (t) => {
        const { privateKey } = make();
        const file = path.join(makeDirectory(t), 'dkim.pem');
        fs.writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
        const sink = await Sink.start(t);
        const server = await freshServer(t, {
            config: `${MAIL_CONFIG}dkim_domain = "example.test"\ndkim_selector = "s1"\n` +
                `dkim_key = ${JSON.stringify(file)}\n[warehouse]\nenabled = false\n`,
            env: { RIPEN_SMTP_URL: sink.url },
        });
        const made = await server.api('POST', 'journeys', JOURNEY);
        await server.api('POST', `journeys/${made.id}/publish`);
        await server.segment('behind it', 'everyone');
        const sent = await server.track('/v1/batch', {
            batch: [
                { type: 'identify', userId: 'u1',
                    traits: { email: 'u1@example.test', first_name: 'Zoë' } },
                { type: 'track', userId: 'u1', event: 'Signed Up' },
            ],
        }, { secret: true });
        assert.equal(sent.status, 200, sent.text);
        await until('the letter has come', () => sink.letters().length === 1);
        const [letter] = sink.letters();
        const judge = async (bytes) => {
            const { results } = await dkimVerify(bytes, {
                resolver: async (name, type) => {
                    assert.equal(`${type} ${name}`, 'TXT s1._domainkey.example.test');
                    return [[dnsText(privateKey)]];
                },
            });
            assert.equal(results.length, 1);
            return results[0];
        };
        const good = await judge(Buffer.from(letter.raw));
        assert.equal(good.status.result, 'pass', JSON.stringify(good.status));
        assert.equal(good.signingDomain, 'example.test');
        const signed = good.signingHeaders.keys.toLowerCase();
        for (const header of ['from', 'to', 'subject', 'date', 'message-id', 'list-unsubscribe',
            'list-unsubscribe-post']) {
            assert.ok(signed.includes(header), `${header} is signed: ${signed}`);
        }
        const changed = letter.raw.replace('Line one', 'Line own');
        assert.notEqual(changed, letter.raw);
        assert.notEqual((await judge(Buffer.from(changed))).status.result, 'pass');
    });
}
