import { chromium } from '@playwright/test';
const base='http://127.0.0.1:8123';
const b=await chromium.launch({executablePath:'/usr/bin/chromium',args:['--no-sandbox']});
const paths=process.argv.slice(3);
for (const scheme of process.argv[2].split(',')) {
  const c=await b.newContext({viewport:{width:1360,height:900},colorScheme:scheme});
  const p=await c.newPage();
  await p.goto(base+'/admin');
  await p.getByLabel(/token/i).first().fill('token-token-token-token-1234').catch(()=>{});
  await p.keyboard.press('Enter');
  await p.waitForTimeout(2500);
  for (const path of paths) {
    await p.goto(base+path); await p.waitForTimeout(3000);
    const name=path.replace(/[^a-z0-9]+/gi,'_').slice(0,40);
    await p.screenshot({path:`/tmp/s6-${scheme}-${name}.png`});
    console.log(`/tmp/s6-${scheme}-${name}.png`);
  }
  await c.close();
}
await b.close();
