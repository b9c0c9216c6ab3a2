// Tests the report of a training in Chromium: `node --test report.mjs`. In the environment: PAGE its address, CHROMIUM
// the browser, OUT a folder for the pictures.

import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { withBrowser } from "./browser.mjs";

const { CHROMIUM, OUT, PAGE } = process.env;

for (const width of [390, 1200]) {
  for (const dark of [false, true]) {
    const name = `report-${width}-${dark ? "dark" : "light"}`;
    test(`legible: ${name}`, () =>
      withBrowser(CHROMIUM, [], async (browser) => {
        const page = await browser.page({ width, height: 844, dark });
        await page.open(PAGE);
        assert.deepEqual(await page.hardToRead(), []);
        await page.picture(join(OUT, `${name}.png`));
        // It has curves and tables, and asks for nothing from elsewhere.
        assert.ok((await page.call(() => document.querySelectorAll("svg").length)) > 0, "no curves");
        assert.ok((await page.call(() => document.querySelectorAll("table tr").length)) > 10, "no tables");
        assert.equal(await page.call(() => performance.getEntriesByType("resource").length), 0);
        assert.deepEqual(page.complaints, []);
      }));
  }
}

test("what is hard to read is found", () =>
  withBrowser(CHROMIUM, [], async (browser) => {
    const page = await browser.page({ width: 390, height: 844, dark: false });
    await page.open("data:text/html,<meta name=viewport content=width=device-width><body style=background:white>");
    const complaints = async (html) => {
      await page.call((html) => (document.body.innerHTML = html), html);
      return page.hardToRead();
    };
    assert.deepEqual(await complaints("<p>plain</p>"), []);
    assert.match((await complaints('<p style="color: #999">pale</p>'))[0], /^"pale" has a contrast of 2\.8/);
    assert.match((await complaints('<p style="background: #000a">on gray</p>'))[0] ?? "", /contrast/);
    assert.match((await complaints('<p style="font-size: 9px">small</p>'))[0], /^"small" is 9px high/);
    assert.match((await complaints('<div style="width: 500px">wide</div>'))[0], /^the page is 5\d\d pixels wide/);
  }));
