// The tokens of the design: every colour, size and typeface of the screens. No other file writes a
// colour. The unit test beside this file recomputes the contrast of what is written on what.
import type { CSSVariablesResolver, MantineColorsTuple, MantineThemeOverride } from '@mantine/core';

export interface Scheme {
    page: string;
    panel: string;
    ink: string;
    ink2: string;
    line: string;
    lineStrong: string;
    leaf: string;
    leafHover: string;
    onLeaf: string;
    leafSoft: string;
    danger: string;
    onDanger: string;
    warn: string;
    info: string;
    ok: string;
    stageLine: string;
    shade: string;
}

export const light: Scheme = {
    page: '#F7F8F6',
    panel: '#FFFFFF',
    ink: '#1B1F23',
    ink2: '#545C64',
    line: '#E3E6E2',
    lineStrong: '#7C858E',
    leaf: '#227054',
    leafHover: '#1B6047',
    onLeaf: '#FFFFFF',
    leafSoft: '#ECF9F3',
    danger: '#B3261E',
    onDanger: '#FFFFFF',
    warn: '#8A5A00',
    info: '#1D5FA8',
    ok: '#1B7A3D',
    stageLine: '#6B655C',
    shade: '#F1F3F0',
};

export const dark: Scheme = {
    page: '#14171A',
    panel: '#1C2024',
    ink: '#E7E9EC',
    ink2: '#A7AFB8',
    line: '#2B3036',
    lineStrong: '#6F7780',
    leaf: '#75CCA7',
    leafHover: '#88D0B0',
    onLeaf: '#10201A',
    leafSoft: '#1B2A25',
    danger: '#FF8A80',
    onDanger: '#10201A',
    warn: '#F2B84B',
    info: '#7FB5F0',
    ok: '#6FCF97',
    stageLine: '#B9B2A7',
    shade: '#242A2F',
};

export interface Rung {
    fill: string;
    text: 'ink' | 'white';
}

// The seven states of mind, first to last, and the five stages of a life as a buyer.
export const mind: Rung[] = [
    { fill: '#E2F1B5', text: 'ink' },
    { fill: '#FEDC43', text: 'ink' },
    { fill: '#E5A466', text: 'ink' },
    { fill: '#D26B03', text: 'ink' },
    { fill: '#BB0F21', text: 'white' },
    { fill: '#8C1D46', text: 'white' },
    { fill: '#4A1151', text: 'white' },
];

export const lifecycle: Rung[] = [
    { fill: '#D5F0EA', text: 'ink' },
    { fill: '#60CFEA', text: 'ink' },
    { fill: '#3E91B2', text: 'ink' },
    { fill: '#2D5CA8', text: 'white' },
    { fill: '#1B255D', text: 'white' },
];

export const white = '#FFFFFF';

// The logo: a plum with one leaf.
export const plum = '#8C1D46';
export const plumOnDark = '#E06A98';

// Series of charts that are not stages, in this order, then "other".
export const series = [
    '#0072B2', '#E69F00', '#009E73', '#CC79A7', '#56B4E9', '#D55E00', '#6B7280',
];

const leaf: MantineColorsTuple = [
    '#ECF9F3', '#D3F0E2', '#B0E1CA', '#88D0B0', '#75CCA7',
    '#49A682', '#308A69', '#227054', '#1B6047', '#134834',
];

const grey: MantineColorsTuple = [
    '#F7F8F6', '#F1F3F0', '#E3E6E2', '#D3D7D2', '#B9BFC0',
    '#9AA2A8', '#7C858E', '#545C64', '#353B41', '#1B1F23',
];

// Mantine reads its dark surfaces from this tuple: 0 ink, 2 ink2, 4 borders, 7 body.
const night: MantineColorsTuple = [
    '#E7E9EC', '#C9CED4', '#A7AFB8', '#6F7780', '#3A4047',
    '#2B3036', '#242A2F', '#1C2024', '#14171A', '#0E1012',
];

// Shades 7 (light) and 4 (dark) are the ones that filled parts take.
const red: MantineColorsTuple = [
    '#FDF0EF', '#FADCD9', '#F5B5AF', '#FF9E95', '#FF8A80',
    '#DE5B52', '#C83E35', '#B3261E', '#941D17', '#6E1410',
];

const bodyFont = "'Inter Variable', 'Inter Fallback', system-ui, sans-serif";
const codeFont = "ui-monospace, 'SF Mono', Menlo, Consolas, 'Noto Sans Mono', monospace";

// The head of a sheet is no landmark: a page has one banner.
const plainHeader = { header: { role: 'presentation' } };

export const theme: MantineThemeOverride = {
    primaryColor: 'leaf',
    primaryShade: { light: 7, dark: 4 },
    autoContrast: true,
    luminanceThreshold: 0.38,
    colors: { leaf, gray: grey, dark: night, red },
    white,
    black: light.ink,
    fontFamily: bodyFont,
    fontFamilyMonospace: codeFont,
    fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
    lineHeights: { xs: '16px', sm: '20px', md: '22px', lg: '24px', xl: '28px' },
    spacing: { xs: '4px', sm: '8px', md: '12px', lg: '16px', xl: '24px' },
    radius: { xs: '4px', sm: '4px', md: '8px', lg: '12px', xl: '32px' },
    defaultRadius: 'sm',
    headings: {
        fontFamily: bodyFont,
        fontWeight: '600',
        sizes: {
            h1: { fontSize: '20px', lineHeight: '28px' },
            h2: { fontSize: '14px', lineHeight: '22px' },
            h3: { fontSize: '14px', lineHeight: '22px' },
        },
    },
    cursorType: 'pointer',
    focusRing: 'auto',
    respectReducedMotion: true,
    components: {
        Button: {
            defaultProps: { size: 'sm' },
            // What is written on a filled button follows the scheme.
            vars: (_theme: unknown, props: { variant?: string; color?: string }) => {
                if (props.variant !== undefined && props.variant !== 'filled') return { root: {} };
                const ink = props.color === 'red' ? 'var(--on-danger)' : 'var(--on-leaf)';
                return { root: { '--button-color': ink } };
            },
        },
        TextInput: { defaultProps: { size: 'sm' } },
        PasswordInput: { defaultProps: { size: 'sm' } },
        Textarea: { defaultProps: { size: 'sm' } },
        NumberInput: { defaultProps: { size: 'sm' } },
        Select: { defaultProps: { size: 'sm' } },
        NativeSelect: { defaultProps: { size: 'sm' } },
        Autocomplete: { defaultProps: { size: 'sm' } },
        Modal: {
            defaultProps: {
                radius: 'lg', centered: true, transitionProps: { duration: 120 },
                attributes: plainHeader,
            },
        },
        Drawer: {
            defaultProps: { transitionProps: { duration: 120 }, attributes: plainHeader },
        },
        Menu: { defaultProps: { shadow: 'md', radius: 'md', transitionProps: { duration: 80 } } },
        Tooltip: { defaultProps: { openDelay: 300, withArrow: false, radius: 'sm' } },
    },
};

function variables(scheme: Scheme): Record<string, string> {
    return {
        '--page': scheme.page,
        '--panel': scheme.panel,
        '--ink': scheme.ink,
        '--ink2': scheme.ink2,
        '--line': scheme.line,
        '--line-strong': scheme.lineStrong,
        '--leaf': scheme.leaf,
        '--leaf-hover': scheme.leafHover,
        '--on-leaf': scheme.onLeaf,
        '--leaf-soft': scheme.leafSoft,
        '--danger': scheme.danger,
        '--on-danger': scheme.onDanger,
        '--warn': scheme.warn,
        '--info': scheme.info,
        '--ok': scheme.ok,
        '--stage-line': scheme.stageLine,
        '--shade': scheme.shade,
        '--plum': scheme === dark ? plumOnDark : plum,
        '--mantine-color-body': scheme.panel,
        '--mantine-color-text': scheme.ink,
        '--mantine-color-dimmed': scheme.ink2,
        '--mantine-color-placeholder': scheme.ink2,
        '--mantine-color-error': scheme.danger,
        '--mantine-color-anchor': scheme.leaf,
        '--mantine-color-default': scheme.panel,
        '--mantine-color-default-hover': scheme.shade,
        '--mantine-color-default-color': scheme.ink,
        '--mantine-color-default-border': scheme.lineStrong,
        '--mantine-color-leaf-filled': scheme.leaf,
        '--mantine-color-leaf-filled-hover': scheme.leafHover,
        '--mantine-color-leaf-light': scheme.leafSoft,
        '--mantine-color-leaf-light-color': scheme.leaf,
        '--mantine-color-leaf-outline': scheme.leaf,
        '--mantine-primary-color-contrast': scheme.onLeaf,
    };
}

export const cssVariables: CSSVariablesResolver = () => ({
    variables: {
        '--mono': codeFont,
        ...Object.fromEntries(mind.map((rung, i) => [`--mind-${i + 1}`, rung.fill])),
        ...Object.fromEntries(lifecycle.map((rung, i) => [`--life-${i + 1}`, rung.fill])),
    },
    light: variables(light),
    dark: variables(dark),
});

// Ladders of n rungs take n of the seven colours; beyond seven the number tells.
const chosen: Record<number, number[]> = {
    1: [7], 2: [2, 7], 3: [1, 4, 7], 4: [1, 3, 5, 7], 5: [1, 2, 4, 5, 7], 6: [1, 2, 3, 4, 5, 7],
};

// The colour's number (1..7) of rung `at` (1..count) of a ladder of `count` rungs.
export function rungColour(at: number, count: number): number {
    return chosen[count]?.[at - 1] ?? Math.min(at, mind.length);
}
