// The texts of zh-CN/cases.ts in English; complete by type check.
import type { SameTexts } from '@/shared/texts'
import type {
  backlog as backlogReference,
  cases as casesReference,
  guidance as guidanceReference,
  receipt as receiptReference,
} from '../zh-CN/cases'

export const receipt: SameTexts<typeof receiptReference> = {
  recorded: 'Recorded and saved on this PC',
  handed_off: 'Complex: handed off; it leaves for the experts as soon as the hub can be reached.',
  arrived: 'Complex: handed off to the experts; it has arrived at the hub.',
  kept: 'Simple: settle it at the counter by the guidance.',
  next: 'Next customer',
  print: 'Print the receipt',
  open: 'Open the case',
}

export const backlog: SameTexts<typeof backlogReference> = {
  scopes: 'Which complaints',
  total: '{n} in all',
  number: 'Number / arrived',
  what: 'What',
  grade: 'Grade',
  state: 'State',
  clerk: 'Clerk',
  left: 'Time left',
  more: 'Show more',
  empty: {
    open: 'Nothing is waiting',
    with_experts: 'Nothing is with the experts',
    done: 'Nothing is done yet',
    all: 'No complaints yet',
    mine: 'No complaints are given to you',
  },
  empty_hint: 'For the next customer press',
  assigned: 'for {name}',
  follows: 'answered with another complaint',
}

export const cases: SameTexts<typeof casesReference> = {
  back: 'Back to the list (Esc)',
  expert: 'Expert {name}',
  returned: 'Why the expert returned it',
  answer: 'Answer to the customer',
  timeline: 'Ledger',
  deadlines: 'Deadlines',
  receipt: 'Receipt',
  cancel: 'Cancel',
  settle: {
    button: 'Settle',
    title: 'Settle at the counter',
    lead: 'When it is explained and settled by the guidance, write down briefly what was done.',
    text: 'What was done',
    remedy: 'Result',
    amount: 'Compensation',
    over: 'More than the {amount} the guidance allows: say on what ground, or hand it off.',
    submit: 'Settle',
  },
  hand_off: {
    button: 'Hand off',
    title: 'Hand off to the experts',
    lead: "Then it is the experts'; the branch can only add notes.",
    text: 'Note for the experts (optional)',
    submit: 'Hand off',
  },
  note: {
    button: 'Note',
    title: 'Add a note',
    lead: 'Notes go into the ledger and cannot be changed or deleted.',
    text: 'Note',
    submit: 'Add',
  },
  offline: 'No connection to the hub now: it is saved on this PC and goes to the hub by itself.',
  breach: 'Why it is late: {cause}',
  follows: 'Answered with {reference}',
  reply: {
    button: 'Reply',
    title: 'Reply to the question',
    lead: 'The experts wait for it. It goes into the ledger and cannot be changed.',
    text: 'What the branch knows',
    text_customer: 'What the customer said, in their own words',
    submit: 'Reply',
  },
  progress: {
    title: 'With the experts',
    unclaimed: 'No expert has claimed it yet',
    departments: 'Departments',
    paused: 'Clocks stand still: {name}',
    since: 'since {at}',
    put_off: 'Answer put off until {at}',
    cycle: 'Cycle {n}',
  },
  after: {
    title: 'Call-back and rating',
    by: '{name} calls back',
    tried: '{at}: {outcome}',
  },
  assign: {
    button: 'Give to',
    title: 'Give to one of the branch',
    lead: 'The complaint stays with the branch and is listed under “Given to me” of the person chosen.',
    who: 'Who sees to it',
    submit: 'Give',
  },
  withdraw: {
    button: 'Withdraw',
    title: 'The customer withdraws',
    lead: 'That ends this complaint.',
    text: 'Reason',
    submit: 'Withdraw',
  },
}

export const guidance: SameTexts<typeof guidanceReference> = {
  title: 'Guidance',
  search: 'Search guidance',
  none: 'No guidance matches',
  empty: 'The hub has not sent any guidance yet',
}
