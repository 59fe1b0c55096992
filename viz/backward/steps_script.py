"""What moves the page of steps: its style sheet and its script."""

from __future__ import annotations

STYLE = """
main{max-width:1200px;margin:0 auto;padding:12px 16px}
h1{font-size:20px;margin:4px 0}h2{font-size:15px;margin:12px 0 4px}
p{margin:4px 0}
#controls{position:sticky;top:0;z-index:1;background:var(--page);padding:8px 0;display:flex;
flex-wrap:wrap;gap:6px;align-items:center;border-bottom:1px solid var(--frame)}
#controls[hidden]{display:none}
#slider{flex:1 1 240px;padding:0;accent-color:var(--leaf-line)}
#count{min-width:9em;font-variant-numeric:tabular-nums}
.keys{flex-basis:100%;font-size:12px;margin:0}
#now{min-height:9.5em;padding:8px 0}
#now:empty{display:none}
#now .head{font-size:17px;margin:0 0 4px}
#now .chain{font-size:16px;color:var(--slope)}
#now table{border-collapse:collapse;margin:2px 0}
#now td{padding:0 14px 0 0}
#now tr.here td{font-weight:bold;color:var(--slope)}
#picture{overflow:auto;max-height:56vh;border:1px solid var(--frame);border-radius:4px}
#picture svg{display:block;max-width:none;margin:0 auto}
#picture .hot path,#picture .node.hot polygon{stroke:var(--slope);stroke-width:3}
#picture .edge.hot text,#picture .edge.hot polygon:first-of-type{fill:var(--slope)}
#picture .edge.hot polygon:first-of-type{stroke:var(--slope)}
#picture .to polygon,#picture .to path{stroke:var(--slope);stroke-width:3;stroke-dasharray:none}
#picture .absent{opacity:.55}
#both{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:24px}
@media(max-width:900px){#both{grid-template-columns:minmax(0,1fr)}}
#both section{overflow-x:auto}
#grads{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
#grads th,#grads td{text-align:left;padding:2px 8px 2px 4px;border-bottom:1px solid var(--frame)}
#grads .got{white-space:nowrap}
#grads .grad{color:var(--slope)}
#grads tr.node th::before{content:"▶ ";color:var(--slope)}
#grads tr.to{background:var(--frame)}
#grads tr.to .grad{font-weight:bold}
#steps{margin:0;padding-left:3.2em;max-height:60vh;overflow:auto}
#steps li{padding:1px 4px}
#steps li.forward{color:var(--faint)}
.live #steps li{cursor:pointer}
#steps li[aria-current]{background:var(--frame);outline:1px solid var(--slope)}
@media print{#controls{display:none}#picture,#steps{max-height:none}}
"""

SCRIPT = """
const $=id=>document.getElementById(id), steps=DATA.steps, items={}, rows={}, boxes={};
DATA.items.forEach(i=>items[i.key]=i);
document.querySelectorAll('#grads tbody tr').forEach(r=>rows[r.dataset.node]=r);
document.querySelectorAll('#picture g.node').forEach(g=>boxes[g.dataset.node]=g);
const edges=[...document.querySelectorAll('#picture g.edge')];
const listed=[...document.querySelectorAll('#steps li')];
let at=0, timer=0, current=null;
const drawn={}; // what is shown of each item: only changes are written

// every result, with its operands in order: which arrow belongs to which operand
const arrows={};
edges.forEach(g=>{const k=[...g.classList].find(c=>/^e\\d+$/.test(c));if(k)arrows[k]=g});

function put(parent,tag,text,cls){
  const e=document.createElement(tag);
  if(text!==undefined)e.textContent=text;
  if(cls)e.className=cls;
  return parent.appendChild(e);
}
function state(upto){
  const s={};
  DATA.items.forEach(i=>s[i.key]={grad:'–',got:0,of:0,data:i.leaf});
  steps.forEach((e,n)=>{
    if(e.to)s[e.to].of=e.of;
    if(n>upto)return;
    if(e.phase==='forward')s[e.node].data=true;
    if(e.to){s[e.to].grad=e.after;s[e.to].got=e.nth}
  });
  return s;
}
const LINE=34;
function write(g,t,text){ // in the middle of its box, however long it is
  const b=g.querySelector('polygon,path,ellipse').getBBox();
  t.setAttribute('text-anchor','middle');
  t.setAttribute('x',b.x+b.width/2);
  t.removeAttribute('textLength');
  t.textContent=text.length<=LINE?text:text.slice(0,LINE-1)+'…';
}
function show(n){
  at=Math.max(0,Math.min(steps.length-1,n));
  const e=steps[at], s=state(at);
  $('slider').value=at+1;
  $('slider').setAttribute('aria-valuetext',e.text);
  $('count').textContent='step '+(at+1)+' of '+steps.length;
  if(current)current.removeAttribute('aria-current');
  current=listed[at];
  current.setAttribute('aria-current','step');
  const box=$('steps');
  box.scrollTop=current.offsetTop-box.offsetTop-box.clientHeight/2;
  DATA.items.forEach(i=>{
    const k=s[i.key], r=rows[i.key], here=i.key===e.node, to=i.key===e.to;
    const absent=e.phase==='forward'?!k.data:k.grad==='–'&&!here;
    const now=[k.grad,k.got,k.data,here,to,absent].join();
    if(drawn[i.key]===now)return;
    drawn[i.key]=now;
    r.className=(here?'node ':'')+(to?'to':'');
    r.querySelector('.data').textContent=k.data?i.data:'–';
    r.querySelector('.grad').textContent=k.grad;
    r.querySelector('.got').textContent=k.of?k.got+' of '+k.of:'';
    const g=boxes[i.key];
    if(!g)return;
    const t=g.querySelectorAll('text');
    write(g,t[t.length-1],'grad '+k.grad);
    write(g,t[t.length-2],'data '+(k.data?i.data:'–'));
    g.classList.toggle('hot',here);
    g.classList.toggle('to',to);
    g.classList.toggle('absent',absent);
  });
  Object.entries(arrows).forEach(([k,g])=>g.classList.toggle('hot',k===e.edge));
  tell(e,s);
  const b=boxes[e.to||e.node], p=$('picture');
  if(b){
    const q=b.getBoundingClientRect(), v=p.getBoundingClientRect();
    if(q.left<v.left||q.right>v.right)p.scrollLeft+=q.left-v.left-v.width/2;
    if(q.top<v.top||q.bottom>v.bottom)p.scrollTop+=q.top-v.top-v.height/2;
  }
}
function tell(e,s){
  const now=$('now'), i=items[e.node];
  now.textContent='';
  put(now,'p',e.text,'head');
  const where=[i.made?i.name+' = '+i.made:'',i.why,i.line?'made at '+i.line:''];
  put(now,'p',where.filter(x=>x).join('  ·  '),'faint');
  if(e.slopes){
    const t=put(now,'table');
    e.slopes.forEach(([o,to,text])=>{
      const r=put(t,'tr',undefined,to===e.to?'here':'');
      put(r,'td','∂'+i.name+'/∂'+items[to].name);
      put(r,'td',text==='by its rule'?'':'= '+text);
      put(r,'td',o,'faint');
    });
    const name=items[e.to].name;
    put(now,'p',(e.chain?i.name+'.grad · ∂'+i.name+'/∂'+name+' = ':i.name+'.grad = '+e.given+', ')
      +e.product,'chain');
    put(now,'p',name+'.grad '+(e.before==='–'?'was absent, is ':e.before+' + '+e.part+' = ')+e.after
      +'  ·  contribution '+e.nth+' of '+e.of);
  }
  if(e.phase!=='forward'){
    const none=DATA.items.filter(k=>s[k.key].of&&!s[k.key].got).map(k=>k.name);
    put(now,'p',none.length?'still absent: '+(none.length>24?none.slice(0,24).join(', ')+' and '
      +(none.length-24)+' more':none.join(', ')):'no gradient is absent','faint');
  }
}
function op(by){ // to the first step of the op before or after
  let n=at;
  const same=(a,b)=>steps[a].node===steps[b].node&&steps[a].phase===steps[b].phase;
  while(n+by>=0&&n+by<steps.length&&same(n+by,at))n+=by;
  n=Math.max(0,Math.min(steps.length-1,n+by));
  if(by<0)while(n>0&&same(n-1,n))n--;
  show(n);
}
function until(){
  const who=$('who').value, nth=+$('nth').value;
  const n=steps.findIndex(e=>e.to===who&&e.nth===nth);
  if(n>=0)show(n);
}
function counts(){
  const of=Math.max(...steps.filter(e=>e.to===$('who').value).map(e=>e.of));
  $('nth').textContent='';
  for(let k=1;k<=of;k++){
    const end=k%100>10&&k%100<14?'th':({1:'st',2:'nd',3:'rd'})[k%10]||'th';
    const o=put($('nth'),'option',k+end+' contribution');
    o.value=k;
  }
  if(of>1)$('nth').value=2;
}
function play(){
  if(timer){clearInterval(timer);timer=0}
  else{
    if(at===steps.length-1)show(0);
    timer=setInterval(()=>{show(at+1);if(at===steps.length-1)play()},900);
  }
  $('play').textContent=timer?'pause':'play';
}
const does={ArrowRight:()=>show(at+1),ArrowLeft:()=>show(at-1),ArrowUp:()=>show(at-1),
  ArrowDown:()=>show(at+1),Home:()=>show(0),End:()=>show(steps.length-1),
  PageDown:()=>op(1),PageUp:()=>op(-1),' ':play,c:until};
document.addEventListener('keydown',k=>{
  const tag=k.target.tagName;
  if(k.ctrlKey||k.altKey||k.metaKey||!(k.key in does)||tag==='SELECT')return;
  if(tag==='BUTTON'&&k.key===' ')return;
  k.preventDefault();
  does[k.key]();
});
$('first').onclick=()=>show(0);
$('back').onclick=()=>show(at-1);
$('next').onclick=()=>show(at+1);
$('last').onclick=()=>show(steps.length-1);
$('play').onclick=play;
$('go').onclick=until;
$('who').onchange=counts;
$('slider').max=steps.length;
$('slider').oninput=()=>show($('slider').value-1);
listed.forEach((li,k)=>li.onclick=()=>show(k));
const rank=i=>2*i.leaf+!/(^| )v\\d+$/.test(i.name); // leaves with a name of their own first
DATA.items.slice().sort((a,b)=>rank(b)-rank(a)).forEach(i=>{
  if(steps.some(e=>e.to===i.key&&e.phase==='backward')){
    put($('who'),'option',i.name).value=i.key;
  }
});
function fit(){ // a picture a little too wide is made smaller, a much wider one scrolls
  const svg=$('picture').querySelector('svg');
  if(!svg)return;
  svg.style.maxWidth='none';
  svg.style.height='auto';
  if(svg.getBoundingClientRect().width<1.4*$('picture').clientWidth)svg.style.maxWidth='100%';
}
window.addEventListener('resize',fit);
$('plain').remove();
document.body.classList.add('live');
$('controls').hidden=false;
if($('who').options.length)counts();
fit();
show(0);
"""
