// The texts of zh-CN/frame.ts in English; complete by type check.
import type { SameTexts } from '@/shared/texts'
import type { door as doorReference, frame as frameReference } from '../zh-CN/frame'

export const door: SameTexts<typeof doorReference> = {
  failed: {
    title: 'Suda cannot be opened now',
    lead: 'The complaints saved on this PC are still here; none is lost.',
    again: 'Try again',
  },
  enrol: {
    title: 'Enrol this PC with the hub',
    lead: 'Needed once. The administrator makes the code at the hub; it lasts 10 minutes and works once.',
    hub: 'Address of the hub',
    hub_example: 'for example https://hub.example.cn',
    open: 'http:// is not encrypted: names and numbers of customers can be read on the network. Ask the administrator for an https:// address.',
    code: 'Enrolment code',
    code_hint: 'Capital or small letters; may be pasted',
    submit: 'Enrol',
    working: 'Enrolling',
  },
  sign_in: {
    title: 'Who is at the counter?',
    password: 'Password',
    submit: 'Sign in',
    other: 'Somebody else',
    nobody: 'Nobody of this branch can sign in yet. Ask the administrator.',
  },
  lock: {
    title: 'Screen locked',
    lead: 'What you were typing is saved; go on after unlocking.',
    submit: 'Unlock',
    switch: 'Somebody else signs in',
  },
}

export const frame: SameTexts<typeof frameReference> = {
  navigation: 'Main navigation',
  record: 'Record',
  backlog: 'Backlog',
  done: 'Done',
  guidance: 'Guidance',
  lock: 'Lock the screen',
  switch: 'Somebody else signs in',
  search: {
    label: 'Search complaints',
    placeholder: 'Search number, phone, name or text',
    none: 'Nothing found',
  },
  status: {
    unsent: 'Saved on this PC: {n} not yet at the hub, oldest {age}',
    urgent: '{n} of them handoffs',
    all_at_hub: 'Everything is at the hub',
    set_aside: '{n} being checked at the hub',
    last_receipt: 'Last receipt of the hub {at}',
    clock_slow: "This PC's clock is {span} slow: turn on automatic time in the system settings",
    clock_fast: "This PC's clock is {span} fast: turn on automatic time in the system settings",
    clock_harmless: "Deadlines and records go by the hub's time and are not affected",
    clock_unconfirmed: "Times rest on this PC's clock until the hub is reached and are corrected then",
    trouble: {
      not_a_hub: 'What answers is not the Suda hub: check the network (a sign-in page?) or ask the administrator',
      foreign_hub: 'This is not the hub this PC is enrolled at; ask the administrator',
      not_known: 'The hub does not know this PC any more; ask the administrator to enrol it again',
      old_copy: 'The data on this PC are an older copy; ask the administrator',
      version: 'This program does not fit the version of the hub; ask the administrator',
      failing: 'The hub is failing; everything is kept here and will be sent',
    },
    safety: {
      no_room: 'No room on the disk for a backup; recording goes on, please free some space',
      backup_failed: 'The backup did not succeed and is tried again; recording goes on',
      second_place: 'The second backup place cannot be written; please check that disk',
      damaged: 'The data file has damaged places: close the program and open it again, it repairs itself',
      journal: 'The spare journal of unsent records cannot be written; recording goes on, please check the disk',
      put_back: 'The data file lacked the last records; they were put back',
      restored: 'The data file was damaged and was restored from a backup; everything saved is here',
      log_damaged: 'A damaged place in the data was set aside; what was saved is back. Please look again at forms you had not saved',
      awaits_hub: 'The data file was damaged or old and was restored; the rest comes from the hub with the next sync',
    },
    failed: 'The status cannot be read now',
    next: 'Next deadline: {left}',
    desk: 'Desk {letter}',
    lan: { mailbox: 'Mailbox of the branch', member: 'Mailbox connected', away: 'The mailbox does not answer', open: 'Branch network' },
  },
  prompt: {
    title: 'The customer came {minutes} minutes ago',
    text: '{reference} is neither settled nor handed off.',
    handed_off_title: 'Handed off to the experts',
    handed_off: '{reference} was still open near the end of the hour and has been handed off.',
    escalated: '{reference}: {clock} is due {due}.',
    question_title: 'The experts ask your branch',
    question: 'The experts ask your branch about {reference} and wait for the reply.',
    open: 'Open the case',
  },
}
