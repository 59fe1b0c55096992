"""How the page of a graph looks; its colours are the variables of ``page``."""

STYLE = (
    """
body{display:flex;flex-direction:column;min-height:100vh}
header{padding:8px 14px 6px;border-bottom:1px solid var(--frame)}
h1{font-size:16px;margin:0}
header p{margin:0;color:var(--faint)}
#tools{display:flex;flex-wrap:wrap;gap:6px 10px;align-items:center;margin-top:6px}
#tools[hidden],#stage[hidden],#tip[hidden],#legend[hidden]{display:none}
#search{width:min(18em,60vw)}
.group{display:inline-flex;gap:4px;flex-wrap:wrap}
main{flex:1;position:relative;min-height:320px;display:flex;flex-direction:column}
#static{overflow:auto;padding:8px}
#static svg{max-width:100%;height:auto}
#stage{flex:1;min-height:320px;overflow:hidden;touch-action:none;cursor:grab;position:relative}
#stage>svg{position:absolute;inset:0;width:100%;height:100%}
#stage.moving{cursor:grabbing}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);margin:0}
footer{padding:4px 14px 8px;border-top:1px solid var(--frame)}
footer ul{list-style:none;display:flex;flex-wrap:wrap;gap:4px 14px;margin:0;padding:0}
footer .step{padding:0 7px;border-radius:3px;font-size:12px}
footer p{margin:2px 0 0;font-size:12px}
.swatch{display:inline-block;width:18px;height:13px;margin-right:5px;vertical-align:-2px;
border:1.5px solid}
svg text{font:11px Helvetica,Arial,'Liberation Sans',Arimo,sans-serif;fill:var(--ink)}
svg text.name{font-size:13px;font-weight:bold}
svg text.faint{fill:var(--faint)} svg text.slope{fill:var(--slope)}
.box,.frame>.handle{cursor:pointer}
.frame>rect{fill:var(--frame);stroke:var(--value-line);stroke-dasharray:5 3}
.edge{fill:none;stroke:var(--faint);stroke-width:1.2}
.edge.near{stroke:var(--slope);stroke-width:2.4}
.tip-of>rect{stroke-width:3}
.hit>rect{stroke:var(--slope)!important;stroke-width:4}
.box:focus,.handle:focus{outline:none}
.box:focus-visible>rect,.handle:focus-visible>rect{stroke:var(--slope)!important;stroke-width:3}
#tip{position:absolute;z-index:2;max-width:min(440px,90%);background:var(--page);
border:1px solid var(--faint);border-radius:5px;padding:6px 9px;pointer-events:none;
box-shadow:0 2px 10px #0004;font-size:13px}
#tip dl{margin:0;display:grid;grid-template-columns:auto 1fr;gap:1px 10px}
#tip dt{color:var(--faint)} #tip dd{margin:0;overflow-wrap:anywhere}
"""
    + "".join(
        f".{key}>rect,.swatch.{key}{{fill:var(--{key}-fill);background:var(--{key}-fill);"
        f"stroke:var(--{key}-line);border-color:var(--{key}-line)}}\n"
        for key in ("leaf", "parameter", "op", "value", "result", "failed", "group")
    )
    + """
.parameter>rect{stroke-width:2.5}.swatch.parameter{border-style:double;border-width:4px}
.result>rect{stroke-width:3}.swatch.result{border-width:3px;border-radius:5px}
.swatch.value,.swatch.op{border-radius:6px}
.group>rect,.swatch.group{stroke-dasharray:6 3;border-style:dashed}
.constant>rect{fill:none;stroke:none}
@media print{#tools,#stage,footer{display:none!important}#static{display:block!important}}
"""
)
