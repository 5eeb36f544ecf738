// A dashboard on a page: window.DASHBOARD is its JSON with the answers to each panel's queries, window.MODE light or dark.
import { ThemeContext, applyFieldOverrides, cacheFieldDisplayNames, createTheme, dateTime, transformDataFrame } from "@grafana/data";
import { GlobalStyles, PanelChrome } from "@grafana/ui";
import { Component, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { firstValueFrom } from "rxjs";

import { framesOf } from "./frames.js";
import { KINDS } from "./panels.jsx";
import { DEFAULTS, fieldConfigRegistry, register } from "./registries.js";

const { DASHBOARD, MODE, WIDTH } = window;
const CELL = 30;
const GAP = 8;
const COLUMN = (WIDTH - GAP) / 24;

register();
const theme = createTheme({ colors: { mode: MODE } });
const rangeOf = ({ start, end }) => ({
  from: dateTime(start * 1000),
  to: dateTime(end * 1000),
  raw: { from: "", to: "" },
});

function withDefaults(panel) {
  const { defaults, overrides = [] } = panel.fieldConfig ?? {};
  const standard = DEFAULTS[panel.type];
  const custom = { ...standard?.custom, ...defaults?.custom };
  return { ...panel, fieldConfig: { defaults: { ...standard, ...defaults, custom }, overrides } };
}

async function dataOf(panel) {
  const context = { interpolate: (text) => text };
  const frames = framesOf(panel.answers);
  const transformed = await firstValueFrom(transformDataFrame(panel.transformations ?? [], frames, context));
  const shown = applyFieldOverrides({
    data: transformed,
    fieldConfig: panel.fieldConfig,
    fieldConfigRegistry,
    replaceVariables: (text) => text,
    theme,
    timeZone: "browser",
  });
  cacheFieldDisplayNames(shown);
  return shown;
}

class Boundary extends Component {
  state = {};
  static getDerivedStateFromError(error) {
    return { error };
  }
  render() {
    const { error } = this.state;
    return error ? <pre data-failed>{String(error.stack)}</pre> : this.props.children;
  }
}

function Nothing({ panel }) {
  const style = { padding: 16, textAlign: "center", color: theme.colors.text.secondary };
  return <div style={style}>{panel.fieldConfig.defaults.noValue ?? "No data"}</div>;
}

function Content({ panel, width, height }) {
  const [frames, setFrames] = useState();
  const [error, setError] = useState();
  useEffect(() => void dataOf(panel).then(setFrames, setError), []);
  if (error) throw error;
  if (!frames) return <div data-waiting />;
  const Kind = KINDS[panel.type];
  if (!Kind) throw new Error(`nothing draws a panel of the kind ${panel.type}`);
  const empty = frames.every((frame) => !frame.length);
  if (empty && panel.type !== "stat" && panel.type !== "bargauge") return <Nothing panel={panel} />;
  return (
    <Kind panel={panel} frames={frames} theme={theme} width={width} height={height} range={rangeOf(panel)} />
  );
}

function Panel({ panel: given }) {
  const panel = withDefaults(given);
  const { x, y, w, h } = panel.gridPos;
  const place = { position: "absolute", left: x * COLUMN + GAP, top: y * (CELL + GAP) + GAP };
  if (panel.type === "row") {
    return <h3 style={{ ...place, fontSize: 18, lineHeight: `${CELL}px`, margin: 0 }}>▾ {panel.title}</h3>;
  }
  const width = w * COLUMN - GAP;
  const height = h * (CELL + GAP) - GAP;
  return (
    <section data-panel={panel.title} data-number={panel.id} style={{ ...place, width, height }}>
      <PanelChrome title={panel.title} width={width} height={height}>
        {(innerWidth, innerHeight) => (
          <Boundary>
            <Content panel={panel} width={innerWidth} height={innerHeight} />
          </Boundary>
        )}
      </PanelChrome>
    </section>
  );
}

// Rows are drawn open, whatever they are in the file.
function opened(panels) {
  let below = 0;
  return panels.map((panel) => {
    const { y, h } = panel.gridPos;
    const place = Math.max(y, panel.type === "row" ? below : y);
    below = Math.max(below, place + h);
    return { ...panel, gridPos: { ...panel.gridPos, y: place } };
  });
}

function Dashboard() {
  const panels = opened(DASHBOARD.panels);
  const rows = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h));
  const style = {
    position: "relative",
    width: WIDTH,
    height: rows * (CELL + GAP) + GAP,
    background: theme.colors.background.canvas,
    color: theme.colors.text.primary,
    fontFamily: theme.typography.fontFamily,
    fontSize: theme.typography.fontSize,
  };
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles hackNoBackdropBlur isExtensionSidebarOpen={false} />
      <main style={style}>
        {panels.map((panel, index) => (
          <Panel key={index} panel={panel} />
        ))}
      </main>
    </ThemeContext.Provider>
  );
}

createRoot(document.getElementById("root")).render(<Dashboard />);
