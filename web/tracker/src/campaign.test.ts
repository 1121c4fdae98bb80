import assert from 'node:assert/strict';
import test from 'node:test';

import { readCampaign } from './campaign.ts';

test('all five tags are read, decoded', () => {
    assert.deepEqual(
        readCampaign('?utm_source=news%20letter&utm_medium=cpc&utm_campaign=春&utm_term=a+b' +
            '&utm_content=top&gclid=1'),
        { source: 'news letter', medium: 'cpc', name: '春', term: 'a b', content: 'top' });
});

test('an address without tags has no campaign', () => {
    assert.equal(readCampaign(''), undefined);
    assert.equal(readCampaign('?q=utm_source&utm_source='), undefined);
});
