// Whom a complaint is about, and what it refers to, in English; complete by type check.
import type { SameTexts } from '@/shared/texts'
import type { consoleBeside as reference } from '../../zh-CN/console/beside'

export const consoleBeside: SameTexts<typeof reference> = {
  persons: 'Persons complained about',
  persons_hint: 'They, and everybody above them, can neither see nor handle this complaint.',
  nobody: 'Nobody of the staff is named.',
  add_person: 'Name a person',
  add_hint: 'At once this person and everybody above them no longer see the complaint; a claim of theirs is given back.',
  who: 'Who',
  why: 'Reason',
  lift: 'Lift the recusal',
  lift_title: 'Lift the recusal of {name}',
  links: 'Linked complaints',
  link: 'Link',
  typed: 'Typed at the counter:',
  part: 'Unlink',
  to: 'Number of the other one',
  relation: 'Relation',
  relations: { duplicate: 'Duplicate', group: 'Group complaint', repeat: 'Repeat', related: 'Related' },
  relation_hint: {
    duplicate: 'same customer, same matter; merged into the other, answered with it',
    group: 'many customers, same matter; answered with the case that leads',
    repeat: 'the customer complains of the same again; handled by itself',
    related: 'for reference; handled by itself',
  },
  outgoing: { duplicate: 'merged into', group: 'group, led by', repeat: 'repeats', related: 'related to' },
  incoming: { duplicate: 'merged into this', group: 'member of the group', repeat: 'repeated by', related: 'related to' },
  follows: { duplicate: 'Merged', group: 'Group', repeat: 'Repeat', related: 'Related' },
  answer_along: 'Answer them along ({n})',
  answer_hint: 'Writes the answer of this case into each that follows it, one by one: each in its own ledger, each customer told. What the rules refuse is said with the reason.',
  dialog: { add: 'Link', part: 'Unlink', answer: 'Answer them along' },
  note: { add: 'Remark', part: 'Reason', answer: 'What was done for them' },
  outcome: { done: 'answered', already: 'had ended before', refused: 'not answered' },
}
