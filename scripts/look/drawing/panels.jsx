// Each kind of panel, drawn by Grafana's own component for it.
import { getDisplayValueAlignmentFactors, getFieldDisplayValues } from "@grafana/data";
import { BarGauge, BigValue, TimeSeries, VizRepeater } from "@grafana/ui";
import { TableNG } from "@grafana/ui/unstable";

const unchanged = (text) => text;

// The values that a panel shows one by one, each with its history if it has a sparkline.
const displayed = ({ panel, frames, theme }, sparkline = false) =>
  getFieldDisplayValues({
    fieldConfig: panel.fieldConfig,
    reduceOptions: panel.options.reduceOptions,
    replaceVariables: unchanged,
    theme,
    data: frames,
    sparkline,
    timeZone: "browser",
  });

function Stat({ panel, frames, theme, width, height, range }) {
  const { options } = panel;
  const values = displayed({ panel, frames, theme }, options.graphMode !== "none");
  for (const { sparkline } of values) if (sparkline) sparkline.timeRange = range;
  return (
    <VizRepeater
      source={values}
      getValues={() => values}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      orientation={options.orientation}
      width={width}
      height={height}
      renderValue={({ value, width, height, count, alignmentFactors }) => (
        <BigValue
          value={value.display}
          count={count}
          sparkline={value.sparkline}
          colorMode={options.colorMode}
          graphMode={options.graphMode}
          justifyMode={options.justifyMode}
          textMode={options.textMode}
          wideLayout={options.wideLayout ?? true}
          alignmentFactors={alignmentFactors}
          text={options.text}
          theme={theme}
          width={width}
          height={height}
        />
      )}
    />
  );
}

function Bars({ panel, frames, theme, width, height }) {
  const { options } = panel;
  const values = displayed({ panel, frames, theme });
  return (
    <VizRepeater
      source={values}
      getValues={() => values}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      orientation={options.orientation}
      itemSpacing={8}
      minVizHeight={options.minVizHeight}
      maxVizHeight={options.maxVizHeight}
      width={width}
      height={height}
      renderValue={({ value, width, height, alignmentFactors }) => (
        <BarGauge
          value={value.display}
          display={value.view?.getFieldDisplayProcessor(value.colIndex)}
          field={value.field}
          alignmentFactors={alignmentFactors}
          displayMode={options.displayMode}
          orientation={options.orientation}
          showUnfilled={options.showUnfilled}
          namePlacement={options.namePlacement}
          valueDisplayMode={options.valueMode}
          text={options.text}
          theme={theme}
          width={width}
          height={height}
        />
      )}
    />
  );
}

function Table({ panel, frames, width, height, range }) {
  return (
    <TableNG
      data={frames[0]}
      width={width}
      height={height}
      sortBy={panel.options.sortBy}
      enablePagination={panel.options.footer?.enablePagination}
      cellHeight={panel.options.cellHeight}
      timeRange={range}
      fieldConfig={panel.fieldConfig}
      structureRev={1}
      disableSanitizeHtml={false}
    />
  );
}

function Lines({ panel, frames, theme, width, height, range }) {
  return (
    <TimeSeries
      frames={frames}
      width={width}
      height={height}
      timeRange={range}
      timeZone="browser"
      legend={panel.options.legend}
      options={panel.options}
      structureRev={1}
      theme={theme}
    />
  );
}

// Grafana's state timeline is not in the published packages. This shows what it would show, not how.
function Timeline({ panel, frames, theme, width, height, range }) {
  const begin = range.from.valueOf();
  const share = (time) => ((time - begin) / (range.to.valueOf() - begin)) * 100;
  const row = Math.min(28, (height - 20) / frames.length);
  return (
    <div style={{ width, height, fontSize: 12, color: theme.colors.text.secondary }}>
      {frames.map((frame, index) => {
        const [times, values] = frame.fields;
        const step = times.values[1] - times.values[0] || 60000;
        const color = values.display(1).color;
        return (
          <div key={index} style={{ display: "flex", height: row, alignItems: "center" }}>
            <div style={{ width: 130, textAlign: "right", paddingRight: 8 }}>{values.config.displayNameFromDS}</div>
            <div style={{ position: "relative", flex: 1, height: row * 0.8, overflow: "hidden" }}>
              {times.values.map((time, place) =>
                values.values[place] === null ? null : (
                  <div
                    key={place}
                    style={{
                      position: "absolute",
                      left: `${share(time)}%`,
                      width: `calc(${share(time + step) - share(time)}% + 1px)`,
                      height: "100%",
                      background: color,
                    }}
                  />
                )
              )}
            </div>
          </div>
        );
      })}
      <div style={{ textAlign: "right", paddingTop: 4 }}>A simple stand-in for Grafana's state timeline</div>
    </div>
  );
}

export const KINDS = { bargauge: Bars, stat: Stat, "state-timeline": Timeline, table: Table, timeseries: Lines };
