// The journey drawn top down: nodes by dagre, a "+" on every edge. The view is kept for each
// journey.
import dagre from '@dagrejs/dagre';
import { IconMinus, IconPlus, IconArrowsMaximize } from '@tabler/icons-react';
import {
    BaseEdge, EdgeLabelRenderer, type EdgeProps, Handle, type NodeProps, Position, ReactFlow,
    ReactFlowProvider, Background, type Edge, type Node, getSmoothStepPath, useReactFlow,
} from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import { type KeyboardEvent, createContext, useContext, useEffect, useMemo } from 'react';
import type { JourneyDefinition, Step } from '../api/contract.ts';
import { useT } from '../ui/words.ts';
import { AddMenu } from './add-menu.tsx';
import classes from './canvas.module.css';
import { icons, kindText, nodeText } from './describe.tsx';
import {
    END, type Graph, type GraphEdge, type GraphNode, type Place, type Problem, graphOf,
} from './steps.ts';

const NODE_W = 248;
const NODE_H = 64;
const RANK_GAP = 56;
const NODE_GAP = 40;

interface CanvasProps {
    definition: JourneyDefinition;
    problems: Problem[];
    selected: string;
    viewKey: string;
    onSelect: (id: string) => void;
    onAdd: (place: Place, type: Step['type']) => void;
}

type StepNode = Node<{ node: GraphNode; pin: number }, 'step'>;
type PlusEdge = Edge<{ edge: GraphEdge }, 'plus'>;

const CanvasContext = createContext<CanvasProps | null>(null);

function useCanvas(): CanvasProps {
    const canvas = useContext(CanvasContext);
    if (!canvas) throw new Error('a node stands outside of the canvas');
    return canvas;
}

// "Yes" belongs to the left: true when more branches stand the other way round.
function turned(graph: Graph, x: (id: string) => number): boolean {
    let balance = 0;
    for (const yes of graph.edges.filter((edge) => edge.arm === 'then')) {
        const no = graph.edges.find((edge) => edge.from === yes.from && edge.arm === 'else');
        if (no) balance += Math.sign(x(no.to) - x(yes.to));
    }
    return balance < 0;
}

function layout(graph: Graph, problems: Problem[]): { nodes: StepNode[]; edges: PlusEdge[] } {
    const plan = new dagre.graphlib.Graph({ multigraph: true });
    plan.setGraph({ rankdir: 'TB', ranksep: RANK_GAP, nodesep: NODE_GAP });
    plan.setDefaultEdgeLabel(() => ({}));
    graph.nodes.forEach((node) => plan.setNode(node.id, { width: NODE_W, height: NODE_H }));
    // Arms begin right under their branch: their first edge pulls harder than the way to the end.
    graph.edges.forEach((edge) => plan.setEdge(edge.from, edge.to,
        { weight: edge.to === END ? 1 : edge.arm ? 4 : 8 }, edge.id));
    dagre.layout(plan);
    const isTurned = turned(graph, (id) => plan.node(id).x);
    const width = plan.graph().width ?? 0;
    const pins = [...new Set(problems.map((one) => one.at))];
    return {
        nodes: graph.nodes.map((node) => {
            const spot = plan.node(node.id);
            return {
                id: node.id, type: 'step' as const,
                position: {
                    x: (isTurned ? width - spot.x : spot.x) - NODE_W / 2,
                    y: spot.y - NODE_H / 2,
                },
                data: { node, pin: pins.indexOf(node.id) + 1 },
                width: NODE_W, height: NODE_H, focusable: false, selectable: false,
            };
        }),
        edges: graph.edges.map((edge) => ({
            id: edge.id, source: edge.from, target: edge.to, type: 'plus' as const,
            data: { edge }, focusable: false, selectable: false,
        })),
    };
}

function StepBox({ data }: NodeProps<StepNode>) {
    const t = useT();
    const { definition, selected, onSelect } = useCanvas();
    const { node, pin } = data;
    const Icon = icons[node.kind];
    const kind = kindText(node.kind, definition, t);
    const text = nodeText(node, definition, t);
    const isGoal = node.kind === 'end' && Boolean(definition.goal);
    // Arrows walk the edges: down to what follows, up to what leads here.
    const walk = (event: KeyboardEvent) => {
        const graph = graphOf(definition);
        const next = event.key === 'ArrowDown'
            ? graph.edges.find((edge) => edge.from === node.id)?.to
            : event.key === 'ArrowUp'
                ? graph.edges.find((edge) => edge.to === node.id)?.from : undefined;
        if (next === undefined) return;
        event.preventDefault();
        document.getElementById(`step-${next}`)?.focus();
    };
    return (
        <>
            <Handle type="target" position={Position.Top} className={classes.handle}
                isConnectable={false} />
            <button
                type="button" id={`step-${node.id}`} className={`nodrag nopan ${classes.node}`}
                data-kind={isGoal ? 'goal' : node.kind} aria-pressed={selected === node.id}
                aria-label={t('journey.node', { kind, text })}
                onClick={() => onSelect(node.id)} onKeyDown={walk}
            >
                <span className={classes.icon}><Icon size={18} stroke={1.75} aria-hidden /></span>
                <span className={classes.words}>
                    <span className={classes.kind}>{kind}</span>
                    <span className={classes.text}>{text}</span>
                </span>
                {pin > 0 && <span className={classes.pin}>{pin}</span>}
            </button>
            <Handle type="source" position={Position.Bottom} className={classes.handle}
                isConnectable={false} />
        </>
    );
}

function PlusLine(props: EdgeProps<PlusEdge>) {
    const t = useT();
    const { onAdd } = useCanvas();
    const edge = props.data?.edge;
    const [path] = getSmoothStepPath({ ...props, borderRadius: 8 });
    const arm = edge?.arm ?? null;
    // Beside the source of an arm, else in the middle of the way down.
    const y = arm ? props.targetY - RANK_GAP / 2 : (props.sourceY + props.targetY) / 2;
    const x = arm ? props.targetX : props.sourceX;
    return (
        <>
            <BaseEdge path={path} className={classes.edge ?? ''} />
            <EdgeLabelRenderer>
                <div
                    className={`nodrag nopan ${classes.plusPlace}`}
                    style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
                >
                    {arm && (
                        <span className={classes.arm}>
                            {t(arm === 'then' ? 'journey.yes' : 'journey.no')}
                        </span>
                    )}
                    {edge && (
                        <AddMenu onAdd={(type) => onAdd(edge.place, type)}>
                            <button type="button" className={classes.plus}
                                aria-label={t('journey.addHere')}>
                                <IconPlus size={14} stroke={2} aria-hidden />
                            </button>
                        </AddMenu>
                    )}
                </div>
            </EdgeLabelRenderer>
        </>
    );
}

const nodeTypes = { step: StepBox };
const edgeTypes = { plus: PlusLine };

function Zoom() {
    const t = useT();
    const flow = useReactFlow();
    return (
        <div className={classes.zoom}>
            <button type="button" aria-label={t('journey.zoomIn')}
                onClick={() => void flow.zoomIn()}>
                <IconPlus size={16} stroke={1.75} aria-hidden />
            </button>
            <button type="button" aria-label={t('journey.zoomOut')}
                onClick={() => void flow.zoomOut()}>
                <IconMinus size={16} stroke={1.75} aria-hidden />
            </button>
            <button type="button" aria-label={t('journey.fit')}
                onClick={() => void flow.fitView({ maxZoom: 1, padding: 0.15 })}>
                <IconArrowsMaximize size={16} stroke={1.75} aria-hidden />
            </button>
        </div>
    );
}

function Flow(props: CanvasProps) {
    const t = useT();
    const flow = useReactFlow();
    const { definition, problems, viewKey } = props;
    const drawn = useMemo(
        () => layout(graphOf(definition), problems), [definition, problems]);
    useEffect(() => {
        const kept = localStorage.getItem(viewKey);
        if (kept) void flow.setViewport(JSON.parse(kept) as { x: number; y: number; zoom: number });
    }, [flow, viewKey]);
    return (
        <ReactFlow
            nodes={drawn.nodes} edges={drawn.edges} nodeTypes={nodeTypes} edgeTypes={edgeTypes}
            fitView={localStorage.getItem(viewKey) === null}
            fitViewOptions={{ maxZoom: 1, padding: 0.12 }} minZoom={0.2} maxZoom={1.5}
            nodesDraggable={false} nodesConnectable={false} panOnScroll zoomOnDoubleClick={false}
            proOptions={{ hideAttribution: true }} deleteKeyCode={null}
            aria-label={t('journey.canvas')}
            onMoveEnd={(event, view) => {
                if (event) localStorage.setItem(viewKey, JSON.stringify(view));
            }}
            onPaneClick={() => props.onSelect('')}
        >
            <Background gap={20} size={1} className={classes.dots ?? ''} />
            <Zoom />
        </ReactFlow>
    );
}

export default function Canvas(props: CanvasProps) {
    return (
        <CanvasContext value={props}>
            <ReactFlowProvider>
                <div className={classes.canvas}><Flow {...props} /></div>
            </ReactFlowProvider>
        </CanvasContext>
    );
}
