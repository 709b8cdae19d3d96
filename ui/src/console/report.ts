// The initial analysis report while it is written, by an expert or a department.
import type { NewReport, Report } from './types'

export interface InterviewDraft {
  who: string
  at: string
  said: string
}

export interface ReportDraft {
  root_cause: string
  impact: string
  proposal: string
  compensation_minor: number | null
  interviews: InterviewDraft[]
  attachments: string[]
  related: string
}

export const freshInterview = (): InterviewDraft => ({ who: '', at: new Date().toISOString(), said: '' })

/** Begins with what was reported before. */
export function freshReport(before: Report | null): ReportDraft {
  return {
    root_cause: before?.root_cause ?? '',
    impact: before?.impact ?? '',
    proposal: before?.proposal ?? '',
    compensation_minor: before?.compensation_minor ?? null,
    interviews: (before?.interviews ?? []).map((one) => ({ ...one })),
    attachments: [...(before?.attachments ?? [])],
    related: before?.related ?? '',
  }
}

/** What each field lacks, those of an interview with its place behind. */
export function reportLacks(draft: ReportDraft, say: string): Record<string, string> {
  const missing: Record<string, string> = {}
  for (const part of ['root_cause', 'impact', 'proposal'] as const) {
    if (draft[part].trim() === '') missing[part] = say
  }
  for (const [index, one] of draft.interviews.entries()) {
    if (one.who.trim() === '') missing[`who_${index}`] = say
    if (one.said.trim() === '') missing[`said_${index}`] = say
    if (!one.at) missing[`at_${index}`] = say
  }
  return missing
}

export const reportSent = (draft: ReportDraft): NewReport => ({ ...draft })
