// Every question the console asks the hub, one function each.
import { get, post, postFile, put } from './api'
import type { AnswerSuggestion } from '@/shared/types'
import type {
  AddedStaff,
  AlarmRow,
  AlarmView,
  AnsweredAlong,
  AskedOf,
  Board,
  BranchRow,
  CategoryTree,
  ColleagueChoice,
  ComplaintView,
  Decision,
  DepartmentChoice,
  DesksReport,
  DeviceRow,
  Dissatisfaction,
  Duties,
  EnrolmentCode,
  Escalation,
  EscalationRow,
  EvidenceRow,
  FoundPiece,
  Grade,
  Guidance,
  Lease,
  LearningView,
  LetterChoice,
  LetterRow,
  LetterSettings,
  LinkView,
  Me,
  NewGuidance,
  NewMeasure,
  NewReport,
  NewStaff,
  NewStub,
  PairsView,
  PasswordSet,
  PauseChoice,
  PersonChoice,
  QuarantinePage,
  Relation,
  SameAnswerView,
  SimilarCase,
  Resolution,
  SmsOutbox,
  StaffRow,
  Stance,
  StubView,
  Task,
  Tasks,
  TimeDraft,
  TimePreview,
  TimeView,
  TryOutcome,
  ViewName,
  WorkOrders,
} from './types'

export const signIn = (login: string, password: string) => post<Me>('/api/login', { login, password })
export const signOut = () => post<void>('/api/logout')
export const whoAmI = () => get<Me>('/api/me')

export const workOrders = (view: ViewName, after?: string, limit = 100) =>
  get<WorkOrders>('/api/work-orders', { view, after, limit })
export const complaint = (id: string) => get<ComplaintView>(`/api/complaints/${id}`)
export const search = (q: string, signal?: AbortSignal) =>
  post<WorkOrders>('/api/search', { q }, undefined, signal)
export const departments = () => get<DepartmentChoice[]>('/api/departments')
/** Who can be responsible for a measure or call back. */
export const colleagues = () => get<ColleagueChoice[]>('/api/colleagues')
export const pauses = () => get<PauseChoice[]>('/api/pauses')
export const categories = () => get<CategoryTree>('/api/categories')
export const board = () => get<Board>('/api/board')
/** What addresses me, the highest level first. */
export const escalations = () => get<EscalationRow[]>('/api/escalations')
/** I have seen what I was told. */
export const escalationSeen = (id: string, { clock, task, level, due }: Escalation) =>
  post<void>(`/api/complaints/${id}/seen`, { clock, task, level, due })
/** What I have to do besides what I hold. */
export const duties = () => get<Duties>('/api/duties')
export const desks = () => get<DesksReport>('/api/desks')

/** For the outer limit without a task. */
interface MoreTime {
  task: string | null
  until: string
  reason: string
}

/** What each step of the work carries. */
export interface Steps {
  claim: undefined
  release: undefined
  pause: { reason: string; note: string }
  resume: undefined
  grade: { grade: Grade; reason: string }
  return: { reason: string }
  dispatch: { department: string; question: string; due_at: string }
  'recall-task': { task: string; reason: string }
  report: NewReport
  ask: { of: AskedOf; task: string | null; text: string; question: string }
  reply: { question: string; text: string }
  'request-extension': MoreTime
  extend: MoreTime
  'refuse-extension': { task: string | null; reason: string }
  'request-approval': { reason: string; compensation_minor: number | null }
  approve: { comment: string; changes: string }
  disapprove: { reason: string }
  'ask-comments': { text: string }
  comment: { text: string; stance: Stance }
  'start-solving': { plan: NewMeasure[] }
  progress: { measure: string; percent: number; note: string }
  implement: { summary: string }
  answer: {
    decision: Decision
    text: string
    remedy: string
    reasons: string
    amount_minor: number | null
    next_level: string
    next_level_until: string | null
  }
  'call-back': {
    satisfied: boolean
    comment: string
    score: number | null
    causes: Dissatisfaction[]
    reopen: boolean
  }
  'call-back-tried': { outcome: TryOutcome; comment: string }
  'assign-call-back': { staff: string | null }
  'decide-finally': { reason: string }
  note: { text: string }
  close: undefined
  withdraw: { reason: string }
  reopen: { reason: string }
  acknowledge: undefined
  'lift-recusal': { staff: string; reason: string }
  link: { to: string; relation: Relation; note: string }
  unlink: { to: string; note: string }
}

/** `key` is the same for every try of one step, so that a second click or a lost answer does it once. */
export const step = <Name extends keyof Steps>(id: string, name: Name, body: Steps[Name], key: string) =>
  post<ComplaintView>(`/api/complaints/${id}/${name}`, body, key)

/** Whom the complaint may be about, by name. */
export const people = (id: string) => get<PersonChoice[]>(`/api/complaints/${id}/people`)
/** Answers with nothing: the complaint may be gone for who says it. */
export const recuse = (id: string, about: { staff: string; reason: string }, key: string) =>
  post<void>(`/api/complaints/${id}/recuse`, about, key)
export const links = (id: string) => get<LinkView[]>(`/api/complaints/${id}/links`)
/** What may belong with the complaint and is not linked with it. */
export const similar = (id: string) => get<SimilarCase[]>(`/api/complaints/${id}/similar`)
/** Gives the answer of this case to those that follow it, one by one. */
export const answerLinked = (id: string, body: { summary: string }) =>
  post<AnsweredAlong[]>(`/api/complaints/${id}/answer-linked`, body)

export const evidence = (id: string) => get<EvidenceRow[]>(`/api/complaints/${id}/evidence`)
export const addEvidence = (id: string, file: File) =>
  postFile<ComplaintView>(`/api/complaints/${id}/evidence?name=${encodeURIComponent(file.name)}`, file)
/** Where a file's contents are; reading them is written down. */
export const evidenceAddress = (id: string, file: string) => `/api/complaints/${id}/evidence/${file}`

/** What in an answer names a person, before it is sent. */
export const lookOver = (id: string, texts: string[]) =>
  post<FoundPiece[]>(`/api/complaints/${id}/look-over`, { texts })
export const letters = (id: string) => get<LetterRow[]>(`/api/complaints/${id}/letters`)
/** The one that there is, or else made now. */
export const makeLetter = (id: string, chosen: LetterChoice) =>
  post<LetterRow>(`/api/complaints/${id}/letters`, chosen)
export const letterSettings = () => get<LetterSettings>('/api/letter-settings')
export const putLetterSettings = (settings: LetterSettings) => put<LetterSettings>('/api/letter-settings', settings)
export const letterAddress = (letter: string) => `/api/letters/${letter}`

/** Lengthens my own claim. */
export const renew = (id: string) => post<Lease>(`/api/complaints/${id}/renew`)

export const phoneStubs = () => get<StubView[]>('/api/phone-stubs')
export const openStub = (told: NewStub) => post<StubView>('/api/phone-stubs', told)
export const noteStub = (id: string, text: string) => post<StubView>(`/api/phone-stubs/${id}/note`, { text })
export const moveStub = (id: string, branch: string) => post<StubView>(`/api/phone-stubs/${id}/branch`, { branch })
export const closeStub = (id: string, reason: string) => post<StubView>(`/api/phone-stubs/${id}/close`, { reason })
export const takeStub = (id: string) => post<StubView>(`/api/phone-stubs/${id}/take`)

export const tasks = (view: 'open' | 'done', after?: string) => get<Tasks>('/api/tasks', { view, after })

export interface TaskSteps {
  accept: undefined
  reject: { reason: string }
  report: NewReport
}

export const taskStep = <Name extends keyof TaskSteps>(id: string, name: Name, body: TaskSteps[Name], key: string) =>
  post<Task>(`/api/tasks/${id}/${name}`, body, key)

/** Open or closed early warnings, the newest first; `before` is the last row of the page before. */
export const alarms = (closed: boolean, before?: AlarmRow) =>
  get<AlarmRow[]>('/api/alarms', { closed: String(closed), before_at: before?.raised_at, before: before?.id })
export const alarm = (id: string) => get<AlarmView>(`/api/alarms/${id}`)
export const acknowledgeAlarm = (id: string, note: string) => post<AlarmView>(`/api/alarms/${id}/acknowledge`, { note })
/** Tells every counter what to say. */
export const explainAlarm = (id: string, say: string) => post<AlarmView>(`/api/alarms/${id}/explain`, { say })
export const closeAlarm = (id: string, note: string) => post<AlarmView>(`/api/alarms/${id}/close`, { note })
export const lookForAlarms = () => post<{ new: number }>('/api/alarms/look')
/** Answers off guidance in these days, both included. */
export const sameAnswer = (from: string, to: string) => get<SameAnswerView>('/api/same-answer', { from, to })
/** Similar complaints with different outcomes, as far as they have been compared. */
export const outcomePairs = (from: string, to: string) => get<PairsView>('/api/same-answer/pairs', { from, to })
/** What may be answered, for a person to choose from. */
export const answerSuggestions = (id: string) =>
  get<AnswerSuggestion[]>(`/api/complaints/${id}/answer-suggestions`)
export const sms = (failing: boolean, after?: string) => get<SmsOutbox>('/api/sms', { failing: String(failing), after })
export const retrySms = (id: string) => post<void>(`/api/sms/${id}/retry`)
/** A text that failed was seen to otherwise. */
export const dismissSms = (id: string, reason: string) => post<void>(`/api/sms/${id}/dismiss`, { reason })
export const releaseHeld = () => post<{ count: number }>('/api/sms/held/release')
export const discardHeld = (reason: string) => post<{ count: number }>('/api/sms/held/discard', { reason })

export const branches = () => get<BranchRow[]>('/api/admin/branches')
export const addBranch = (branch: { code: string; name: string }) => post<BranchRow>('/api/admin/branches', branch)

export const staff = () => get<StaffRow[]>('/api/admin/staff')
export const addStaff = (one: NewStaff) => post<AddedStaff>('/api/admin/staff', one)
export const setActive = (id: string, active: boolean) => post<void>(`/api/admin/staff/${id}/active`, { active })
export const setSuperior = (id: string, superior: string | null) =>
  post<void>(`/api/admin/staff/${id}/superior`, { superior })
/** An empty `phone` removes the number; null leaves it and changes the language. */
export const setDutyPhone = (id: string, phone: string | null, language: 'zh-CN' | 'zh-TW' | 'en') =>
  post<void>(`/api/admin/staff/${id}/duty-phone`, { phone, language })
export const resetPassword = (id: string) => post<PasswordSet>(`/api/admin/staff/${id}/password`, {})

export const devices = () => get<DeviceRow[]>('/api/admin/devices')
export const makeCode = (branch: string) => post<EnrolmentCode>('/api/admin/enrolment-codes', { branch })

export const guidance = () => get<Guidance[]>('/api/admin/guidance')
export const putGuidance = (one: NewGuidance) => post<Guidance>('/api/admin/guidance', one)

export const timeRules = () => get<TimeView>('/api/admin/time')
/** What a change would do; nothing is changed. */
export const previewTime = (draft: TimeDraft) => post<TimePreview>('/api/admin/time/preview', draft)
export const changeTime = (draft: TimeDraft) => put<TimeView>('/api/admin/time', draft)

export const quarantine = ({ after, mine = false }: { after?: number; mine?: boolean }) =>
  get<QuarantinePage>('/api/quarantine', { after, mine: String(mine) })
export const recordHolders = (id: number) => get<ColleagueChoice[]>(`/api/quarantine/${id}/holders`)
export const entrust = (id: number, to: string) => post<void>(`/api/quarantine/${id}/entrust`, { to })
export const resolve = (id: number, resolution: Resolution) =>
  post<void>(`/api/quarantine/${id}/resolve`, resolution)

export const learning = () => get<LearningView>('/api/admin/learning')
export const train = (preview: boolean) => post<LearningView>('/api/admin/learning/train', { preview })
/** An earlier model in force again, or none. */
export const useModel = (version: number | null) => post<LearningView>('/api/admin/learning/version', { version })
export const forgetCase = (complaint: string) => post<LearningView>('/api/admin/learning/forget', { complaint })
/** A missed handoff costs so many times a wrong one. */
export const setHandoffCosts = (revision: string, costs: number) =>
  put<LearningView>('/api/admin/learning/handoffs', { revision, costs })
/** A file the browser fetches by itself. */
export const LEARNING_EXPORT = '/api/admin/learning/export'
