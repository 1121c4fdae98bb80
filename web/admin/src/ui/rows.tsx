// A list of any length: TanStack Table for columns, virtual rows (at most 60 in the page), more
// rows
// when the end comes near. The page itself scrolls, so that a phone scrolls one thing.
import {
    columnVisibilityFeature, createColumnHelper, tableFeatures, useTable,
} from '@tanstack/react-table';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { type KeyboardEvent, type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import classes from './rows.module.css';
import { Bone } from './states.tsx';
import { useT } from './words.ts';

const ROW_PX = 44;
const AHEAD = 8;
const NEAR_END = 20;

export interface Column<T extends object> {
    id: string;
    head: string;
    cell: (row: T) => ReactNode;
    width: string; // A track of the grid: "minmax(160px, 2fr)", "120px".
    sort?: string; // The name that the server sorts by.
    isNumber?: boolean;
    isPhone?: boolean; // Stays below 768 px.
}

export interface RowsProps<T extends object> {
    label: string;
    columns: Column<T>[];
    rows: T[];
    idOf: (row: T) => string;
    hidden?: string[];
    sort?: string;
    onSort?: (sort: string) => void;
    onOpen?: (row: T) => void;
    hasMore?: boolean;
    isLoadingMore?: boolean;
    onMore?: () => void;
    isOld?: boolean;
}

const features = tableFeatures({ columnVisibilityFeature });

export function Rows<T extends object>(props: RowsProps<T>) {
    const t = useT();
    const place = useRef<HTMLDivElement>(null);
    const [top, setTop] = useState(0);
    const [active, setActive] = useState(0);
    useEffect(() => {
        if (place.current) {
            setTop(place.current.getBoundingClientRect().top + window.scrollY);
        }
    }, []);
    const columns = useMemo(() => {
        const column = createColumnHelper<typeof features, T>();
        return column.columns(props.columns.map((one) => column.display({
            id: one.id, header: one.head, cell: ({ row }) => one.cell(row.original),
        })));
    }, [props.columns]);
    const visibility = useMemo(
        () => Object.fromEntries((props.hidden ?? []).map((id) => [id, false])), [props.hidden]);
    const table = useTable({
        features, columns, data: props.rows, getRowId: props.idOf,
        state: { columnVisibility: visibility },
    });
    const shown = props.columns.filter((one) => !(props.hidden ?? []).includes(one.id));
    const tracks = shown.map((one) => one.width).join(' ');
    const rows = table.getRowModel().rows;
    const virtual = useWindowVirtualizer({
        count: rows.length, estimateSize: () => ROW_PX, overscan: AHEAD, scrollMargin: top,
    });
    const items = virtual.getVirtualItems();
    const lastIndex = items.at(-1)?.index ?? 0;
    const { hasMore, isLoadingMore, onMore } = props;
    useEffect(() => {
        if (hasMore && !isLoadingMore && lastIndex >= rows.length - NEAR_END) onMore?.();
    }, [hasMore, isLoadingMore, lastIndex, rows.length, onMore]);

    const walk = (event: KeyboardEvent<HTMLDivElement>) => {
        if (event.target !== event.currentTarget) return;
        const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key] ?? 0;
        if (step !== 0) {
            event.preventDefault();
            const next = Math.max(0, Math.min(rows.length - 1, active + step));
            setActive(next);
            virtual.scrollToIndex(next);
        } else if (event.key === 'Enter' && rows[active]) {
            props.onOpen?.(rows[active].original);
        }
    };

    return (
        <div className={classes.frame} data-old={props.isOld}>
            <div
                ref={place} role="table" aria-label={props.label} aria-rowcount={rows.length + 1}
                className={classes.table} style={{ ['--tracks' as string]: tracks }}
                tabIndex={0} onKeyDown={walk}
            >
                <div role="rowgroup">
                    <div role="row" className={classes.head} aria-rowindex={1}>
                        {shown.map((one) => (
                            <Head key={one.id} column={one} {...props} />
                        ))}
                    </div>
                </div>
                <div role="rowgroup" style={{ height: virtual.getTotalSize() }}
                    className={classes.space}>
                    {items.map((item) => {
                        const row = rows[item.index]!;
                        return (
                            <div
                                key={row.id} role="row" aria-rowindex={item.index + 2}
                                className={classes.row} data-active={item.index === active}
                                data-opens={props.onOpen !== undefined}
                                style={{ transform: `translateY(${item.start - top}px)` }}
                                onClick={(event) => {
                                    setActive(item.index);
                                    const hit = event.target as HTMLElement;
                                    if (hit.closest('a, button, input') === null) {
                                        props.onOpen?.(row.original);
                                    }
                                }}
                            >
                                {row.getVisibleCells().map((cell, at) => (
                                    <div
                                        key={cell.id} role="cell" className={classes.cell}
                                        data-number={shown[at]?.isNumber}
                                        data-phone={shown[at]?.isPhone}
                                    >
                                        <table.FlexRender cell={cell} />
                                    </div>
                                ))}
                            </div>
                        );
                    })}
                </div>
            </div>
            {isLoadingMore && (
                <div className={classes.more} role="status">
                    <span className="visually-hidden">{t('state.loading')}</span>
                    <Bone width="40%" />
                </div>
            )}
        </div>
    );
}

function Head<T extends object>({ column, sort, onSort }: {
    column: Column<T>; sort?: string; onSort?: (sort: string) => void;
}) {
    const isUp = sort !== undefined && sort === column.sort;
    const isDown = sort !== undefined && sort === `-${column.sort}`;
    const direction = isUp ? 'ascending' : isDown ? 'descending' : 'none';
    return (
        <div
            role="columnheader" className={classes.cell} data-number={column.isNumber}
            data-phone={column.isPhone}
            {...(column.sort ? { 'aria-sort': direction } : {})}
        >
            {column.sort && onSort ? (
                <button
                    type="button" className={classes.sort}
                    onClick={() => onSort(isDown ? column.sort! : `-${column.sort}`)}
                >
                    {column.head}
                    {isUp && <IconArrowUp size={14} stroke={1.75} aria-hidden />}
                    {isDown && <IconArrowDown size={14} stroke={1.75} aria-hidden />}
                </button>
            ) : column.head}
        </div>
    );
}
