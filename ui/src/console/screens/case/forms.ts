// The form of each step that asks for something.
import type { Component } from 'vue'
import type { StepForm } from '../../steps'
import AnswerStep from './AnswerStep.vue'
import ApprovalStep from './ApprovalStep.vue'
import ApproveStep from './ApproveStep.vue'
import AskStep from './AskStep.vue'
import AssignStep from './AssignStep.vue'
import CallBackStep from './CallBackStep.vue'
import CommentStep from './CommentStep.vue'
import DispatchStep from './DispatchStep.vue'
import GradeStep from './GradeStep.vue'
import GrantStep from './GrantStep.vue'
import MoreTimeStep from './MoreTimeStep.vue'
import PauseStep from './PauseStep.vue'
import PlanStep from './PlanStep.vue'
import ProgressStep from './ProgressStep.vue'
import RecallStep from './RecallStep.vue'
import ReplyStep from './ReplyStep.vue'
import ReportStep from './ReportStep.vue'
import TextStep from './TextStep.vue'
import TriedStep from './TriedStep.vue'

export const FORMS: Record<Exclude<StepForm, 'none'>, Component> = {
  text: TextStep,
  dispatch: DispatchStep,
  recall: RecallStep,
  ask: AskStep,
  reply: ReplyStep,
  more_time: MoreTimeStep,
  grant: GrantStep,
  report: ReportStep,
  approval: ApprovalStep,
  approve: ApproveStep,
  comment: CommentStep,
  plan: PlanStep,
  progress: ProgressStep,
  answer: AnswerStep,
  call_back: CallBackStep,
  tried: TriedStep,
  assign: AssignStep,
  pause: PauseStep,
  grade: GradeStep,
}
