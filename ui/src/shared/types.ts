// The words of the field as types, for views and parts. Types only: the
// bindings' code is reached through desk/host.ts and nowhere else, so that the
// console, which runs in a browser, never loads it.
import type { Chosen, Contact, Intake, Representative } from '../bindings/desk'

export type {
  AdviceView,
  AnswerSuggestion,
  AskedOf,
  Assessment,
  Because,
  BackupsView,
  BreachCause,
  BundleReport,
  CallBack,
  CasePage,
  CaseRow,
  CaseView,
  Category,
  CategoryTree,
  Chosen,
  IntakeChannel as Channel,
  Clock,
  Complexity,
  Contact,
  Deadline,
  Decision,
  Delivery,
  Dissatisfaction,
  DraftView,
  EnrolmentView,
  ErrorCode,
  EvidenceKind,
  EvidenceView,
  ExplainedDeadline,
  Extension,
  Fact,
  FactKind,
  Field,
  Grade,
  Guidance,
  GuidanceUsed,
  HandoffCause,
  Intake,
  Language,
  LetterKind,
  Learned,
  Level,
  LanCode,
  LanDesk,
  LanFound,
  LanView,
  LinkView,
  OtherDesk,
  MatterView,
  Paused,
  Planned,
  Problem,
  ProblemCode,
  Proposed,
  PromptView,
  Question,
  Rating,
  Reason,
  ReceiptView,
  ReceiptsReport,
  Relation,
  ReleaseCause,
  Report,
  Representative,
  Role,
  Scope,
  SessionView,
  Settlement,
  Source,
  StaffView,
  Stance,
  State,
  StatusView,
  Stretch,
  Suggestion,
  TakenOver,
  TaskProgress,
  TaskState,
  TimelineEntry,
  Tone,
  TryOutcome,
  TwinElsewhereView,
  TwinReason,
  TwinView,
  Weighed,
} from '../bindings/desk'

/** The form with every field present; the wire may leave empty ones out. */
export type Form = Omit<Required<Intake>, 'representative' | 'group'> & {
  representative: Required<Representative> | null
  group: Required<Contact>[]
}

/** The form, and what the person has decided beside it; what is null follows the suggestion. */
export interface Sheet {
  form: Form
  chosen: Chosen
}

/** The four states a customer can ask for. */
export type CustomerState = 'accepted' | 'dispatched' | 'investigated' | 'completed'
