// The shapes of the hub's console API as the screens use them.
import type {
  Category,
  CategoryTree,
  Clock,
  Complexity,
  CustomerState,
  Deadline,
  Decision,
  Fact,
  FactKind,
  Grade,
  Guidance,
  HandoffCause,
  Intake,
  Report,
  Role,
  State,
} from '@/shared/types'

export type { Category, CategoryTree, Clock, Complexity, Deadline, Decision, Fact, FactKind, Grade, Guidance, Intake, Report, Role, State }

export interface Me {
  id: string
  login: string
  name: string
  role: Role
  branch: string | null
  branch_name: string | null
  organisation: string
}

export interface Actor {
  staff: string | null
  name: string
  role: Role
  branch: string | null
}

export interface WorkOrder {
  id: string
  reference: string
  branch: string
  branch_name: string
  state: State
  customer_state: CustomerState | null
  grade: Grade | null
  category: string
  category_zh: string
  category_en: string
  excerpt: string
  customer: string
  arrived_at: string
  queued_at: string | null
  next_clock: Clock | null
  next_due: string | null
  claimed_by: string | null
  claimed_by_name: string | null
  lease_until: string | null
  late: boolean
  open_tasks: number
  alert_pending: boolean
}

export interface WorkOrders {
  rows: WorkOrder[]
  next: string | null
}

export type ViewName = 'queue' | 'mine' | 'team' | 'all'

export interface Measure {
  what: string
  responsible: string
  due_at: string
}

export type TaskState = 'sent' | 'accepted' | 'rejected' | 'reported'

export interface Task {
  id: string
  department: string
  department_name: string
  question: string
  state: TaskState
  sent_at: string
  due_at: string
  ended_at: string | null
  reject_reason: string | null
  report: Report | null
}

export interface TimelineEntry {
  seq: number
  kind: FactKind
  fact: Fact
  actor: Actor
  at: string
  wall: string
  received_at: string
  effect: 'opened' | 'changed' | 'remark' | 'history' | 'late_note'
  hash: string
}

export interface Answer {
  decision: Decision | null
  text: string
  remedy: string
  amount_minor: number | null
}

export interface ClaimView {
  lease: string
  expert: string
  expert_name: string
  until: string
  lapses: boolean
}

export type DeadlineView = Deadline & { running: boolean; breached: boolean }

export interface ComplaintView {
  id: string
  reference: string
  branch: string
  branch_name: string
  state: State
  customer_state: CustomerState | null
  owner_no: number
  recorded_by: Actor
  intake: Intake
  masked: boolean
  cut: boolean
  category_zh: string
  category_en: string
  arrived_at: string
  recorded_at: string
  late: boolean
  grade: Grade | null
  complexity: Complexity | null
  handoff_cause: HandoffCause | null
  cycle: number
  claim: ClaimView | null
  tasks: Task[]
  report: Report | null
  plan: Measure[]
  return_reason: string | null
  answer: Answer | null
  needs_approval: boolean
  deadlines: DeadlineView[]
  timeline: TimelineEntry[]
  guidance: Guidance | null
  allowed: FactKind[]
  may_renew: boolean
}

export interface DepartmentChoice {
  id: string
  name: string
}

/** A task with what a list shows of its complaint. */
export interface TaskRow extends Task {
  complaint: string
  reference: string
  branch: string
  branch_name: string
  grade: Grade | null
  category_zh: string
  category_en: string
  excerpt: string
}

export interface Tasks {
  rows: TaskRow[]
  next: string | null
}

export interface Lease {
  until: string
}

export type BreachCause =
  | 'recorded_late'
  | 'still_in_branch'
  | 'delivered_late'
  | 'handed_off_late'
  | 'unclaimed'
  | 'waiting_for_department'
  | 'waiting_for_approval'
  | 'with_expert'

export interface Breach {
  clock: Clock | null
  due: string | null
  cause: BreachCause
  order: WorkOrder
}

export interface Board {
  complaints: number
  by_state: { state: State; complaints: number }[]
  by_branch: { branch: string; name: string; open: number }[]
  handoffs_today: { in_time: number; late: number; of_the_past: number }
  overdue: number
  breaches: Breach[]
  alerts: WorkOrder[]
  quarantined: number
  now: string
}

export interface BranchRow {
  code: string
  name: string
  active: boolean
}

export interface StaffRow {
  id: string
  login: string
  name: string
  role: Role
  branch: string | null
  active: boolean
}

export interface AddedStaff {
  staff: StaffRow
  password: string | null
}

export interface PasswordSet {
  password: string | null
}

export interface DeviceRow {
  id: string
  incarnation: number
  branch: string
  letter: string
  name: string
  enrolled_at: string
  last_seen: string | null
  offset_ms: number | null
}

export interface EnrolmentCode {
  code: string
  expires_at: string
}

export interface QuarantineRow {
  id: number
  device: string
  incarnation: number
  lane: number
  n: number
  branch: string
  complaint: string | null
  kind: string | null
  reason: unknown
  at: string
  body: string
}

export type Resolution = { action: 'note'; text: string } | { action: 'discard'; reason: string }
