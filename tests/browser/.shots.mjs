import { chromium } from '@playwright/test';
const base='http://127.0.0.1:8311', T='end-to-end-test-token-0123456789abcdef';
const get=async p=>(await fetch(base+'/api/admin/'+p,{headers:{authorization:'Bearer '+T}})).json();
const b=await chromium.launch({executablePath:'/usr/bin/chromium',args:['--no-sandbox','--disable-dev-shm-usage']});
const ctx=await b.newContext({viewport:{width:3840,height:2160}});
await ctx.request.post(base+'/api/admin/session',{data:{token:T}});
const page=await ctx.newPage(); page.on('pageerror',e=>console.log('ERR',e.message));
const run=(await get('runs?timeRange=1h&status=completed')).runs[0];
const err=(await get('errors?timeRange=1h')).errors[0];
const views={overview:'',logs:'logs',workflows:'workflows',run:'runs/'+run.run_id,trace:'trace/'+run.trace_id,performance:'performance',report:'support?client='+run.user_id,error:'errors/'+err?.fingerprint};
const only=process.argv[3]?.split(',');
const [w,h,theme]=(process.argv[2]??'3840x2160xlight').split('x');
await page.setViewportSize({width:+w,height:+h}); await page.emulateMedia({colorScheme:theme??'light'});
for (const [n,p] of Object.entries(views)) { if(only&&!only.includes(n)) continue; await page.goto(base+'/admin/'+p); await page.waitForLoadState('networkidle').catch(()=>{}); await page.waitForTimeout(2500); await page.screenshot({path:`/tmp/shots/${n}-${w}-${theme}.png`}); }
await b.close();
