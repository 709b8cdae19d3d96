// What a fact says to a reader: a title and the lines below it. Keys and
// parameters only; nested texts are given as phrases and said by the caller.
import { sizeOf } from './evidence'
import type { Phrase } from './time'
import type { Fact, GuidanceUsed } from './types'

/** How the caller says the pieces a line is made of. */
export interface Saying {
  t: (key: string, params?: Record<string, string | number>) => string
  full: (at: string) => string
  money: (minor: number) => string
}

/** The sentence that names the fact. */
export function factTitle(fact: Fact, say: Saying): string {
  const key = `facts.title.${fact.kind}`
  switch (fact.kind) {
    case 'assessed':
      return say.t(key, {
        grade: say.t(`words.grade.${fact.grade}`),
        complexity: say.t(`words.complexity.${fact.complexity}`),
      })
    case 'handed_off':
      return say.t(key, { cause: say.t(`words.handoff_cause.${fact.cause}`) })
    case 'released':
      return say.t(key, { cause: say.t(`words.release_cause.${fact.cause}`) })
    case 'dispatched':
      return say.t(key, { department: fact.department_name })
    case 'assigned':
      return say.t(key, { name: fact.to.name })
    case 'recused':
    case 'paused':
      return say.t(key, { name: fact.name })
    case 'linked':
      return say.t(key, { reference: fact.reference, relation: say.t(`words.relation.${fact.relation}`) })
    case 'graded':
      return say.t(key, { grade: say.t(`words.grade.${fact.grade}`) })
    case 'escalated':
    case 'escalation_seen':
      return say.t(key, { level: say.t(`words.level.${fact.level}`), clock: say.t(`words.clock.${fact.clock}`) })
    case 'letter_made':
      return say.t(key, {
        what: `${say.t(`words.letter_kind.${fact.letter.kind}`)} · ${say.t(`words.language.${fact.letter.language}`)}`,
      })
    case 'asked':
      return say.t(key, { of: say.t(`facts.asked_of.${fact.of}`) })
    case 'commented':
      return say.t(key, { stance: say.t(`facts.stance.${fact.stance}`) })
    case 'measure_progressed':
      return say.t(key, { percent: fact.percent })
    case 'call_back_assigned':
      return say.t(key, { name: fact.to.name })
    case 'rated':
      return say.t(key, { score: fact.score })
    case 'answered':
      return say.t(key, { decision: say.t(`words.decision.${fact.decision}`) })
    default:
      return say.t(key)
  }
}

/** What was written or decided with it, a line each. */
export function factLines(fact: Fact, say: Saying): string[] {
  const line = (key: string, params: Phrase['params'] = {}): string => say.t(`facts.${key}`, params)
  const given = (text: string | null): string[] => (text ? [text] : [])
  const reason = (text: string): string[] => (text ? [line('reason', { reason: text })] : [])
  const byGuidance = (used?: GuidanceUsed | null, deviation = ''): string[] => [
    ...(used ? [line('guidance', { category: used.category, version: used.version })] : []),
    ...(deviation ? [line('deviation', { reason: deviation })] : []),
  ]
  switch (fact.kind) {
    case 'recorded':
      return [
        [
          line('arrived', { at: say.full(fact.arrived_at) }),
          ...(fact.late ? [line('late')] : []),
          ...(fact.source === 'import' ? [line('from_file')] : []),
        ].join(' · '),
      ]
    case 'assessed':
      if (fact.override_reason) return [line('otherwise', { reason: fact.override_reason })]
      return fact.suggestion ? [line('as_suggested')] : []
    case 'handed_off':
      return fact.packet.cut ? [line('packet_cut')] : []
    case 'evidence_added':
      return [line('file', { name: fact.file.name, size: sizeOf(fact.file.bytes) })]
    case 'noted':
      return given(fact.text)
    case 'claimed':
      return [line('until', { at: say.full(fact.until) })]
    case 'returned_to_branch':
    case 'task_rejected':
    case 'task_recalled':
    case 'extension_refused':
    case 'finally_decided':
    case 'disapproved':
    case 'withdrawn':
    case 'reopened':
    case 'taken_over':
    case 'graded':
    case 'recused':
    case 'recusal_lifted':
      return fact.reason ? reason(fact.reason) : []
    case 'linked':
    case 'unlinked':
      return given(fact.note)
    case 'dispatched':
      return [
        line('question', { question: fact.question }),
        line('due', { at: say.full(fact.due_at) }),
      ]
    case 'reported':
      return [
        line('root_cause', { text: fact.report.root_cause }),
        line('impact', { text: fact.report.impact }),
        line('proposal', { text: fact.report.proposal }),
        ...(fact.report.compensation_minor
          ? [line('proposed', { amount: say.money(fact.report.compensation_minor) })]
          : []),
        ...(fact.report.interviews ?? []).map((one) => line('interviewed', { who: one.who, said: one.said })),
        ...(fact.report.related ? [line('related', { text: fact.report.related })] : []),
        ...(fact.report.attachments?.length ? [line('attached', { n: fact.report.attachments.length })] : []),
      ]
    case 'asked':
    case 'replied':
    case 'comments_asked':
    case 'commented':
      return given(fact.text)
    case 'extension_requested':
    case 'extended':
      return [line('more_until', { at: say.full(fact.until) }), ...reason(fact.reason)]
    case 'approval_requested':
      return [
        ...(fact.reason ? reason(fact.reason) : []),
        ...(fact.compensation_minor ? [line('amount', { amount: say.money(fact.compensation_minor) })] : []),
        ...((fact.votes ?? 1) > 1 ? [line('votes', { n: fact.votes ?? 1 })] : []),
      ]
    case 'approved':
      return [
        ...given(fact.comment),
        ...(fact.changes ? [line('changes', { text: fact.changes })] : []),
        ...(typeof fact.compensation_minor === 'number'
          ? [line('at_most', { amount: say.money(fact.compensation_minor) })]
          : []),
      ]
    case 'measure_progressed':
      return given(fact.note)
    case 'call_back_tried':
      return [say.t(`facts.outcome.${fact.outcome}`), ...given(fact.comment)]
    case 'rated':
      return given(fact.comment)
    case 'solving_started':
      return fact.plan.map((m) =>
        [
          line('measure', { what: m.what, responsible: m.responsible, at: say.full(m.due_at) }),
          ...(m.resources ? [line('resources', { text: m.resources })] : []),
        ].join(' · '),
      )
    case 'implemented':
      return given(fact.summary)
    case 'answered':
      return [
        ...given(fact.text),
        ...(fact.reasons ? [line('reasons', { text: fact.reasons })] : []),
        ...(fact.remedy ? [line('remedy', { text: fact.remedy })] : []),
        ...(fact.amount_minor ? [line('amount', { amount: say.money(fact.amount_minor) })] : []),
        ...(fact.next_level ? [line('next_level', { text: fact.next_level })] : []),
        ...(fact.next_level_until ? [line('next_level_until', { at: say.full(fact.next_level_until) })] : []),
        ...byGuidance(fact.guidance, fact.deviation),
      ]
    case 'settled':
      return [
        ...given(fact.summary),
        ...(fact.remedy ? [line('remedy', { text: fact.remedy })] : []),
        ...(fact.amount_minor ? [line('amount', { amount: say.money(fact.amount_minor) })] : []),
        ...byGuidance(fact.guidance, fact.deviation),
      ]
    case 'called_back':
      return [
        [
          line(fact.satisfied ? 'satisfied' : 'not_satisfied'),
          ...(fact.score ? [line('score', { n: fact.score })] : []),
          ...(fact.causes?.length
            ? [line('causes', { causes: fact.causes.map((one) => say.t(`facts.cause.${one}`)).join(' · ') })]
            : []),
        ].join(' · '),
        ...given(fact.comment),
      ]
    case 'time_corrected':
      return [
        ...(fact.arrived
          ? [line('arrival_corrected', { was: say.full(fact.arrived.was), is: say.full(fact.arrived.is) })]
          : []),
        ...(fact.steps.length > 0 ? [line('steps_corrected', { n: fact.steps.length })] : []),
      ]
    case 'escalated':
    case 'escalation_seen':
      return [say.t('words.time.due', { at: say.full(fact.due) })]
    case 'paused':
      return [line('waits_for', { text: fact.note })]
    case 'letter_made':
      return [line('checksum', { hash: fact.letter.sha256 })]
    case 'resumed':
    case 'kept_in_branch':
    case 'released':
    case 'queued':
    case 'task_accepted':
    case 'closed':
    case 'archived':
    case 'assigned':
    case 'call_back_assigned':
    case 'alert_acknowledged':
      return []
  }
}
