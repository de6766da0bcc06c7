// SPDX-License-Identifier: GPL-2.0-only
// What deploy/grafana/portsnoop.json must be, in Grafana's own types; scripts/check-dashboard.
import type { Dashboard, DataQuery, FieldConfig, Panel, RowPanel } from '@grafana/schema';
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type { Options as TableOptions } from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type {
	FieldConfig as LineField,
	Options as LineOptions,
} from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

// JSON has the text of an enum, not its name.
type Plain<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
// Grafana has defaults for whatever a panel does not say of these.
type Some<T> = T extends (infer U)[] ? Some<U>[] : T extends object ? { [K in keyof T]?: Some<T[K]> } : T;

// Those that Grafana's package does not have: of its source of data for Prometheus, as far as they are used.
interface Query extends DataQuery {
	expr: string;
	legendFormat?: string;
	range?: boolean;
	instant?: boolean;
	format?: 'time_series' | 'table' | 'heatmap';
}

type Of<Type extends string, Options, Custom> = Omit<Panel, 'type' | 'options' | 'fieldConfig' | 'targets'> & {
	type: Type;
	id: number;
	title: string;
	description: string;
	targets: Query[];
	options: Some<Options>;
	fieldConfig: {
		defaults: Omit<FieldConfig, 'custom'> & { custom?: Some<Custom> };
		overrides: NonNullable<Panel['fieldConfig']>['overrides'];
	};
};

type AnyPanel =
	| (RowPanel & { type: 'row' })
	| Of<'stat', StatOptions, never>
	| Of<'table', TableOptions, never>
	| Of<'timeseries', LineOptions, LineField>;

export type Checked = Plain<Omit<Dashboard, 'panels'> & { panels: AnyPanel[] }>;
