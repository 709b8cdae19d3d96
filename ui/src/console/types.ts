// The hub's shapes, as its description of itself generates them
// (bindings/hub.ts), under the names the screens use.
import type { components, paths } from '@/bindings/hub'
import type { Answered } from '@/shared/answered'

type Shapes = components['schemas']
type Shape<Name extends keyof Shapes> = Answered<Shapes[Name]>

export type AnsweredAlong = Shape<'AnsweredAlong'>
export type LinkView = Shape<'LinkView'>
export type SimilarCase = Shape<'SimilarCase'>
export type PersonChoice = Shape<'PersonChoice'>
export type Recusal = Shape<'Recusal'>
export type Relation = Shape<'Relation'>
export type Answer = Shape<'Answer'>
export type Approval = Shape<'Approval'>
export type AskedOf = Shape<'AskedOf'>
export type AddedStaff = Shape<'AddedStaff'>
export type Board = Shape<'Board'>
export type BranchRow = Shape<'BranchRow'>
export type Breach = Shape<'Breach'>
export type BreachCause = Shape<'BreachCause'>
export type CalendarDay = Shape<'CalendarDay'>
export type CallBack = ComplaintView['call_back']
export type Category = Shape<'Category'>
export type CategoryTree = Shape<'CategoryTree'>
export type Clock = Shape<'Clock'>
export type ColleagueChoice = Shape<'ColleagueChoice'>
export type ComplaintView = Shape<'ComplaintView'>
export type Deadline = Shape<'Deadline'>
export type DeadlineView = Shape<'DeadlineView'>
export type DayKind = Shape<'DayKind'>
export type Decision = Shape<'Decision'>
export type DepartmentChoice = Shape<'DepartmentChoice'>
export type Dissatisfaction = Shape<'Dissatisfaction'>
export type Duties = Shape<'Duties'>
export type DutyKind = Shape<'DutyKind'>
export type DutyRow = Shape<'DutyRow'>
export type Attention = Shapes['Attention']
/** Counts that are 0, and what a desk cannot tell, are left out of the answer. */
export type Counts = Partial<Shapes['Counts']>
type Untold = 'free_bytes' | 'backup_age_min'
type Standing = Omit<Shapes['DeskStanding'], Untold> & Partial<Pick<Shapes['DeskStanding'], Untold>>
export type DeskRow = Omit<Shape<'DeskRow'>, 'today' | 'week' | 'standing'> & {
  today: Counts
  week: Counts
  standing: Standing | null
}
export type DesksReport = Omit<Shape<'DesksReport'>, 'desks'> & { desks: DeskRow[] }
export type DeviceRow = Shape<'DeviceRow'>
export type EnrolmentCode = Shape<'EnrolmentCode'>
export type ErrorCode = Shape<'ErrorCode'>
export type Escalation = Shape<'Escalation'>
export type EscalationRow = Shape<'EscalationRow'>
export type EvidenceRow = Shape<'EvidenceView'>
export type Extension = Shape<'Extension'>
export type FactKind = Shape<'FactKind'>
export type Grade = Shape<'Grade'>
export type Guidance = Shape<'Guidance'>
export type AlarmRow = Shape<'AlarmRow'>
export type AlarmState = Shape<'AlarmState'>
export type AlarmStep = Shape<'AlarmStep'>
export type AlarmView = Shape<'AlarmView'>
export type DayGrowth = Shape<'DayGrowth'>
export type Difference = Shape<'Difference'>
export type Hours = Shape<'Hours'>
export type HoursError = Shape<'HoursError'>
export type Lease = Shape<'Lease'>
export type LearningView = Shape<'LearningView'>
export type HandoffView = Shape<'HandoffView'>
export type HandoffReport = Shape<'HandoffReport'>
export type HandoffCourse = Shape<'Course'>
export type LetterChoice = Shape<'LetterAsked'>
export type LetterRow = Shape<'LetterView'>
/** What in a text names a person. */
export type FoundPiece = Shape<'Found'>
export type Currency = Shape<'Currency'>
export type LetterSettings = Shape<'LetterSettings'>
export type Level = Shape<'Level'>
export type Me = Shape<'Me'>
export type Measure = Shape<'Measure'>
export type OutcomePair = Shape<'OutcomePair'>
export type PairSide = Shape<'PairSide'>
export type PairsView = Shape<'PairsView'>
export type PastCycle = Shape<'PastCycle'>
export type Planned = Shape<'Planned'>
export type Question = Shape<'Question'>
export type PasswordSet = Shape<'PasswordSet'>
export type MovedDeadline = Shape<'MovedDeadline'>
export type PauseChoice = Shape<'PauseChoice'>
export type PauseRule = Shape<'PauseRule'>
export type Policy = Shape<'Policy'>
export type PolicyError = Shape<'PolicyError'>
export type Stretch = Shapes['Stretch']
export type Fact = Shape<'Fact'>
export type QuarantinePage = Shape<'QuarantinePage'>
export type QuarantineRow = Shape<'QuarantineRow'>
export type RemedyKind = Shape<'RemedyKind'>
export type Report = Shape<'Report'>
export type Role = Shape<'Role'>
export type Rung = Shape<'Rung'>
export type Span = Shape<'Span'>
export type SameAnswerView = Shape<'SameAnswerView'>
export type Share = Shape<'GuidanceShare'>
export type SmsOutbox = Shape<'SmsOutbox'>
export type SmsRow = Shape<'SmsRow'>
export type SmsState = Shape<'SmsState'>
export type SmsTemplate = Shape<'Template'>
export type Stance = Shape<'Stance'>
export type StubView = Shape<'StubView'>
export type StaffRow = Shape<'StaffRow'>
export type State = Shape<'State'>
export type Vote = Shape<'Vote'>
export type Task = Shape<'Task'>
export type TrainingDecision = TrainingView['report']['decision']
export type TrainingView = Shape<'TrainingView'>
export type TaskRow = Shape<'TaskRow'>
export type Tasks = Shape<'Tasks'>
export type Try = CallBack['tries'][number]
export type TryOutcome = Shape<'TryOutcome'>
export type TimeChangeRow = Shape<'TimeChangeRow'>
export type TimelineEntry = Shape<'TimelineEntry'>
export type TimePreview = Shape<'TimePreview'>
export type TimeProblem = Shape<'TimeProblem'>
export type TimeView = Shape<'TimeView'>
export type WorkOrder = Shape<'WorkOrder'>
export type WorkOrders = Shape<'WorkOrders'>

/** Which work orders. */
export type ViewName = NonNullable<
  NonNullable<paths['/api/work-orders']['get']['parameters']['query']>['view']
>

/** What is sent, where a field may be left out. */
export type NewGuidance = Shapes['NewGuidance']
export type NewStub = Shapes['NewStub']
export type NewStaff = Shapes['NewStaffBody']
export type NewMeasure = Shapes['MeasureText']
export type NewReport = Shapes['ReportText']
export type Resolution = Shapes['Resolution']
export type TimeDraft = Shapes['TimeDraft']
