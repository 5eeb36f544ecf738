// A stand-in for Grafana's transformation “Time series to table”, which is not in the published packages: of each query
// it makes a table with a row for each series, its labels as columns, and the series itself in a cell.
import { FieldType, isTimeSeriesFrame, toDataFrame } from "@grafana/data";
import { map } from "rxjs";

const column = (name, type, values) => ({ name, type, config: {}, values });

function tableOf(refId, frames) {
  const labels = frames.map((frame) => frame.fields[1].labels ?? {});
  const names = [...new Set(labels.flatMap(Object.keys))];
  const trends = frames.map((frame) => ({ ...frame, value: frame.fields[1].values.at(-1), length: frame.length }));
  return toDataFrame({
    refId,
    fields: [
      ...names.map((name) => column(name, FieldType.string, labels.map((each) => each[name]))),
      column(`Trend #${refId}`, FieldType.frame, trends),
    ],
  });
}

function transform(frames) {
  const series = frames.filter(isTimeSeriesFrame);
  const queries = Map.groupBy(series, (frame) => frame.refId);
  return [...frames.filter((frame) => !series.includes(frame)), ...[...queries].map(([id, own]) => tableOf(id, own))];
}

export const timeSeriesTable = {
  id: "timeSeriesTable",
  name: "Time series to table",
  defaultOptions: {},
  operator: () => (source) => source.pipe(map(transform)),
};
