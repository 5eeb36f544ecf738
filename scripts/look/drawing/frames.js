// What Prometheus answers, in the form in which Grafana's data source hands it to a panel.
import { FieldType, toDataFrame } from "@grafana/data";

const named = ({ __name__, ...labels }) => labels;

const written = (labels) => "{" + Object.entries(labels).map(([name, value]) => `${name}="${value}"`).join(", ") + "}";

function legendOf(legend, labels) {
  return legend ? legend.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name) => labels[name] ?? "") : written(labels);
}

// A point for each step: where there is none, the line has a gap.
function onEachStep(values, step) {
  const points = [];
  for (const [at, value] of values) {
    const last = points.at(-1);
    for (let missing = last ? last[0] + step : at; missing < at; missing += step) points.push([missing, null]);
    points.push([at, Number(value)]);
  }
  return points;
}

function series(answer, { metric, value, values }) {
  const labels = named(metric);
  const points = values ? onEachStep(values, answer.step) : [[value[0], Number(value[1])]];
  const name = legendOf(answer.legend, labels);
  return toDataFrame({
    refId: answer.refId,
    name,
    fields: [
      { name: "Time", type: FieldType.time, config: {}, values: points.map(([at]) => at * 1000) },
      {
        name: "Value",
        type: FieldType.number,
        labels,
        config: { displayNameFromDS: name },
        values: points.map(([, number]) => number),
      },
    ],
  });
}

function table(answer, only) {
  const rows = answer.result;
  const names = [...new Set(rows.flatMap(({ metric }) => Object.keys(named(metric))))].sort();
  return toDataFrame({
    refId: answer.refId,
    fields: [
      { name: "Time", type: FieldType.time, config: {}, values: rows.map(({ value }) => value[0] * 1000) },
      ...names.map((name) => ({
        name,
        type: FieldType.string,
        config: {},
        values: rows.map(({ metric }) => metric[name]),
      })),
      {
        name: only ? "Value" : `Value #${answer.refId}`,
        type: FieldType.number,
        config: {},
        values: rows.map(({ value }) => Number(value[1])),
      },
    ],
  });
}

export function framesOf(answers) {
  const tables = answers.filter((answer) => answer.format === "table" && answer.result.length);
  return answers.flatMap((answer) => {
    if (answer.format !== "table") return answer.result.map((each) => series(answer, each));
    return answer.result.length ? [table(answer, tables.length === 1)] : [];
  });
}
