// The steps of the work as a person chooses them: which fact each writes,
// what it asks for, and where it stands among the others. Whether a step is
// possible now is never decided here: the hub lists what it would admit.
import { MOST_TRIES, countedTries } from './callBack'
import type { Steps } from './calls'
import { openMeasures, openQuestions, ownMeasures, ownTasks } from './course'
import type { ComplaintView, FactKind, Me, Role, State } from './types'

export type StepName = Exclude<keyof Steps, 'note'>
export type StepForm =
  | 'none'
  | 'text'
  | 'dispatch'
  | 'recall'
  | 'ask'
  | 'reply'
  | 'more_time'
  | 'grant'
  | 'report'
  | 'approval'
  | 'approve'
  | 'comment'
  | 'plan'
  | 'progress'
  | 'answer'
  | 'call_back'
  | 'tried'
  | 'assign'
  | 'pause'
  | 'grade'

export interface StepKind {
  name: StepName
  writes: FactKind
  form: StepForm
  /** For a form of one text: the name it is sent under, and whether it may be empty. */
  text?: { field: 'reason' | 'summary' | 'comment' | 'text'; optional?: boolean }
  /** Part of the way to the answer, or something beside it. */
  onward: boolean
  /** One beside comes to the front when something waits for it. */
  pressing?: (view: ComplaintView, who: Me | null) => boolean
  /** Ends or gives away something: asked for in another colour. */
  grave?: boolean
  /** Cannot be undone: says what it means before it is sent. */
  warns?: boolean
  /** Whose screen has it elsewhere. */
  elsewhere?: Role
}

/** Nobody has asked the customer yet, and it is not decided for good. */
function waitsForCallBack({ state, call_back, final_decision }: ComplaintView): boolean {
  return state === 'answered' && typeof call_back.satisfied !== 'boolean' && !final_decision
}

export const STEP_KINDS: readonly StepKind[] = [
  { name: 'claim', writes: 'claimed', form: 'none', onward: true },
  { name: 'approve', writes: 'approved', form: 'approve', onward: true },
  { name: 'disapprove', writes: 'disapproved', form: 'text', text: { field: 'reason' }, onward: true, grave: true },
  {
    name: 'ask-comments',
    writes: 'comments_asked',
    form: 'text',
    text: { field: 'text' },
    onward: false,
    // Whoever has voted may still ask; it is not what comes next for them.
    pressing: ({ allowed }) => allowed.includes('approved'),
  },
  { name: 'acknowledge', writes: 'alert_acknowledged', form: 'none', onward: true },
  { name: 'extend', writes: 'extended', form: 'grant', onward: true },
  { name: 'refuse-extension', writes: 'extension_refused', form: 'grant', onward: true, grave: true },
  {
    name: 'reply',
    writes: 'replied',
    form: 'reply',
    onward: false,
    // Whoever asked waits; the branch that was asked has to answer.
    pressing: (view, who) =>
      (who?.role === 'clerk' || who?.role === 'branch_manager') && openQuestions(view).some((one) => one.of === 'branch'),
  },
  {
    name: 'progress',
    writes: 'measure_progressed',
    form: 'progress',
    onward: false,
    pressing: (view, who) => openMeasures(ownMeasures(view, who)).length > 0,
  },
  { name: 'answer', writes: 'answered', form: 'answer', onward: true },
  { name: 'implement', writes: 'implemented', form: 'text', text: { field: 'summary' }, onward: true },
  { name: 'start-solving', writes: 'solving_started', form: 'plan', onward: true },
  { name: 'request-approval', writes: 'approval_requested', form: 'approval', onward: true },
  { name: 'dispatch', writes: 'dispatched', form: 'dispatch', onward: true },
  { name: 'report', writes: 'reported', form: 'report', onward: true, elsewhere: 'department' },
  { name: 'return', writes: 'returned_to_branch', form: 'text', text: { field: 'reason' }, onward: true, grave: true },
  { name: 'call-back', writes: 'called_back', form: 'call_back', onward: false, pressing: waitsForCallBack },
  { name: 'call-back-tried', writes: 'call_back_tried', form: 'tried', onward: false, pressing: waitsForCallBack },
  { name: 'close', writes: 'closed', form: 'none', onward: true },
  {
    name: 'comment',
    writes: 'commented',
    form: 'comment',
    onward: false,
    pressing: ({ state, approvals }) => state === 'awaiting_approval' && !!approvals.at(-1)?.comments_asked,
  },
  { name: 'ask', writes: 'asked', form: 'ask', onward: false },
  { name: 'request-extension', writes: 'extension_requested', form: 'more_time', onward: false },
  { name: 'recall-task', writes: 'task_recalled', form: 'recall', onward: false },
  { name: 'assign-call-back', writes: 'call_back_assigned', form: 'assign', onward: false },
  { name: 'reopen', writes: 'reopened', form: 'text', text: { field: 'reason' }, onward: false },
  {
    name: 'decide-finally',
    writes: 'finally_decided',
    form: 'text',
    text: { field: 'reason' },
    onward: false,
    grave: true,
    warns: true,
  },
  { name: 'pause', writes: 'paused', form: 'pause', onward: false },
  { name: 'resume', writes: 'resumed', form: 'none', onward: true },
  { name: 'grade', writes: 'graded', form: 'grade', onward: false },
  { name: 'release', writes: 'released', form: 'none', onward: false },
  { name: 'withdraw', writes: 'withdrawn', form: 'text', text: { field: 'reason' }, onward: false, grave: true },
]

/** Admitted, and of no use any more: nobody waits for it. */
function isPast(name: StepName, state: State): boolean {
  if (name === 'reply' || name === 'comment') return stretchesDone(state) === STRETCHES.length
  if (name === 'call-back' || name === 'call-back-tried') return state !== 'answered'
  return false
}

/** What somebody may do now, as the hub admits it. */
export function possibleSteps(view: ComplaintView, who: Me | null): StepKind[] {
  const unplanned = view.state === 'solving' && view.plan.length === 0
  const possible = STEP_KINDS.filter((kind) => view.allowed.includes(kind.writes))
    .filter((kind) => kind.elsewhere === undefined || kind.elsewhere !== who?.role)
    .filter((kind) => kind.name !== 'assign-call-back' || waitsForCallBack(view))
    .filter((kind) => !isPast(kind.name, view.state))
  // Approved, but nobody has said yet who does what.
  if (!unplanned) return possible
  return [...possible].sort((a, b) => Number(b.name === 'start-solving') - Number(a.name === 'start-solving'))
}

/** Part of the way now, or beside it. */
export const isOnward = (kind: StepKind, view: ComplaintView, who: Me | null): boolean =>
  kind.onward || kind.pressing?.(view, who) === true

/** Under which name its texts stand: a plan that has begun is changed. */
export const textOf = (kind: StepKind, { plan }: Pick<ComplaintView, 'plan'>): string =>
  kind.name === 'start-solving' && plan.length > 0 ? 'change-plan' : kind.name

/** Voted for what the group is asked now, which waits for somebody else's vote. */
const hasVoted = ({ approvals }: ComplaintView, who: Me | null): boolean =>
  approvals.at(-1)?.votes.some((vote) => vote.staff === who?.id) === true

/** What those beside the experts are told where a state's own sentence is for the experts. */
function guideBeside(view: ComplaintView, who: Me | null): string | null {
  if (who?.role !== 'management' && who?.role !== 'department') return null
  const { state, allowed } = view
  if (stretchesDone(state) === STRETCHES.length || state === 'awaiting_approval') return null
  if (allowed.includes('alert_acknowledged')) return 'alert_waits'
  return possibleSteps(view, who).some((kind) => isOnward(kind, view, who)) ? null : 'others_work'
}

/** Which sentence says what comes next. */
export function guideOf(view: ComplaintView, who: Me | null): string {
  const { state } = view
  if (ownTasks(view, who).length > 0) return 'dispatched_to_me'
  if (who?.role === 'clerk' || who?.role === 'branch_manager') {
    return openQuestions(view).some((one) => one.of === 'branch') ? 'branch_asked' : 'branch_reads'
  }
  if (state !== 'answered' && possibleSteps(view, who).length === 0) return 'nothing'
  const beside = guideBeside(view, who)
  if (beside) return beside
  if (state === 'analysed' && view.needs_approval) return view.grade === 'one' ? 'analysed_grade_one' : 'analysed_amount'
  if (state === 'awaiting_approval' && view.allowed.includes('approved')) return 'awaiting_vote'
  if (state === 'awaiting_approval' && hasVoted(view, who)) return 'awaiting_others_vote'
  if (state === 'awaiting_approval' && view.approvals.at(-1)?.comments_asked) return 'awaiting_comments'
  if (state === 'solving' && view.plan.length === 0 && view.allowed.includes('solving_started')) return 'solving_empty'
  if (state === 'solving' && openMeasures(view.plan).length > 0) return 'solving_open'
  if (state !== 'answered') return state
  if (view.final_decision) return 'answered_final'
  if (typeof view.call_back.satisfied === 'boolean') return view.call_back.satisfied ? 'answered_content' : 'answered_not'
  if (countedTries(view.call_back.tries).length >= MOST_TRIES) return 'answered_not_reached'
  if (view.answer?.by && view.answer.by === who?.id) return 'answered_by_me'
  return view.allowed.includes('called_back') && view.call_back.assigned?.staff === who?.id ? 'answered_to_me' : state
}

/** The five stretches of an expert's way, for the picture above the steps. */
export const STRETCHES = ['claim', 'investigate', 'solve', 'implement', 'answer'] as const
export type Stretch = (typeof STRETCHES)[number]

/** How many stretches lie behind a complaint in this state. */
export function stretchesDone(state: State): number {
  switch (state) {
    case 'claimed':
    case 'dispatched':
      return 1
    case 'analysed':
    case 'awaiting_approval':
      return 2
    case 'solving':
      return 3
    case 'implemented':
      return 4
    case 'answered':
    case 'closed':
    case 'withdrawn':
    case 'archived':
      return STRETCHES.length
    default:
      return 0
  }
}
