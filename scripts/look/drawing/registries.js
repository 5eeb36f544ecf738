// What Grafana registers while it starts, and what its panel plug-ins have as defaults. The published packages hold the
// mechanisms and leave these empty; without them units, mappings, colours and overrides are silently dropped.
import {
  FieldConfigOptionsRegistry,
  displayNameOverrideProcessor,
  identityOverrideProcessor,
  numberOverrideProcessor,
  standardFieldConfigEditorRegistry,
  standardTransformers,
  standardTransformersRegistry,
  stringOverrideProcessor,
  thresholdsOverrideProcessor,
  unitOverrideProcessor,
  valueMappingsOverrideProcessor,
} from "@grafana/data";

import { timeSeriesTable } from "./timeSeriesTable.js";

const STANDARD = {
  unit: unitOverrideProcessor,
  decimals: numberOverrideProcessor,
  min: numberOverrideProcessor,
  max: numberOverrideProcessor,
  displayName: displayNameOverrideProcessor,
  noValue: stringOverrideProcessor,
  thresholds: thresholdsOverrideProcessor,
  mappings: valueMappingsOverrideProcessor,
  links: identityOverrideProcessor,
  color: identityOverrideProcessor,
  filterable: identityOverrideProcessor,
};

const CUSTOM = [
  "align", "axisBorderShow", "axisCenteredZero", "axisColorMode", "axisLabel", "axisPlacement", "axisSoftMax",
  "axisSoftMin", "axisWidth", "barAlignment", "barWidthFactor", "cellOptions", "drawStyle", "fillOpacity", "filterable",
  "gradientMode", "hideFrom", "hidden", "inspect", "insertNulls", "lineColor", "lineInterpolation", "lineStyle",
  "lineWidth", "minWidth", "pointSize", "scaleDistribution", "showPoints", "spanNulls", "stacking", "thresholdsStyle",
  "width", "wrapText",
];

const property = (id, process, isCustom) => ({
  id: isCustom ? `custom.${id}` : id,
  path: id,
  name: id,
  isCustom,
  process,
  shouldApply: () => true,
  settings: {},
});

export const fieldConfigRegistry = new FieldConfigOptionsRegistry(() => [
  ...Object.entries(STANDARD).map(([id, process]) => property(id, process, false)),
  ...CUSTOM.map((id) => property(id, identityOverrideProcessor, true)),
]);

// Of the field options of each kind of panel.
export const DEFAULTS = {
  stat: { color: { mode: "thresholds" } },
  bargauge: { color: { mode: "thresholds" } },
  table: { color: { mode: "thresholds" }, custom: { align: "auto", cellOptions: { type: "auto" }, inspect: false } },
  timeseries: {
    color: { mode: "palette-classic" },
    custom: {
      axisBorderShow: false, axisCenteredZero: false, axisColorMode: "text", axisLabel: "", axisPlacement: "auto",
      barAlignment: 0, barWidthFactor: 0.6, drawStyle: "line", fillOpacity: 0, gradientMode: "none",
      hideFrom: { legend: false, tooltip: false, viz: false }, insertNulls: false, lineInterpolation: "linear",
      lineWidth: 1, pointSize: 5, scaleDistribution: { type: "linear" }, showPoints: "auto", spanNulls: false,
      stacking: { group: "A", mode: "none" }, thresholdsStyle: { mode: "off" },
    },
  },
};

export function register() {
  standardFieldConfigEditorRegistry.setInit(() => fieldConfigRegistry.list());
  const { seriesToColumnsTransformer, ...transformers } = standardTransformers; // the old name of another one
  standardTransformersRegistry.setInit(() =>
    [...Object.values(transformers), timeSeriesTable].map((info) => ({
      id: info.id,
      name: info.name,
      transformation: async () => info,
      editor: () => null,
    }))
  );
}
