// The names by which tests find the console's controls.
import { ofAdmin } from './testids.admin'

export const ids = {
  signIn: {
    screen: 'console-sign-in',
    form: 'console-sign-in-form',
    login: 'console-login',
    password: 'console-password',
    submit: 'console-sign-in-submit',
  },
  frame: {
    screen: 'console-frame',
    /** One per place, with data-place. */
    place: 'console-place',
    search: 'console-search-field',
    /** data-role holds the role. */
    person: 'console-person',
    signOut: 'console-sign-out',
    /** data-live holds connecting, live or lost. */
    live: 'console-live',
  },
  escalations: {
    /** data-count holds the number of rows shown. */
    list: 'console-escalations',
    /** One per row, with data-id, data-level and data-clock. */
    row: 'console-escalation',
    /** data-level and data-clock hold what it says. */
    badge: 'console-escalation-badge',
    /** Who has seen it. */
    seen: 'console-escalation-seen',
    see: 'console-escalation-see',
  },
  notices: {
    /** One per notice, with data-level and data-reference. */
    notice: 'console-notice',
    open: 'console-notice-open',
    /** data-permission holds default, granted or denied. */
    desktop: 'console-notices-desktop',
    allow: 'console-notices-allow',
  },
  queue: {
    screen: 'console-queue',
    view: 'console-queue-view',
    /** data-count holds the number of rows shown. */
    count: 'console-queue-count',
    /** One per work order, with data-id, data-reference, data-state and data-fresh. */
    row: 'console-work-order',
    claim: 'console-claim',
    more: 'console-queue-more',
  },
  phone: {
    open: 'console-phone-open',
    list: 'console-phone-stubs',
    /** One per stub, with data-code and data-alarm. */
    stub: 'console-phone-stub',
    more: 'console-phone-more',
    move: 'console-phone-move',
    close: 'console-phone-close',
    typed: 'console-phone-typed',
    send: 'console-phone-send',
    code: 'console-phone-code',
    branch: 'console-phone-branch',
    arrived: 'console-phone-arrived',
    note: 'console-phone-note',
  },
  case: {
    screen: 'console-case',
    evidence: 'console-case-evidence',
    letters: 'console-case-letters',
    /** One per letter, with data-kind and data-language. */
    letter: 'console-case-letter',
    letterOpen: 'console-case-letter-open',
    letterKind: 'console-case-letter-kind',
    letterLanguage: 'console-case-letter-language',
    letterMake: 'console-case-letter-make',
    letterLacks: 'console-case-letter-lacks',
    persons: 'console-case-persons',
    /** One per person complained about. */
    person: 'console-case-person',
    personAdd: 'console-case-person-add',
    personWho: 'console-case-person-who',
    personWhy: 'console-case-person-why',
    links: 'console-case-links',
    /** One per link, with data-relation. */
    link: 'console-case-link',
    linkAdd: 'console-case-link-add',
    linkTo: 'console-case-link-to',
    linkNote: 'console-case-link-note',
    answerLinked: 'console-case-answer-linked',
    /** One per case that may belong with this one, with data-reference. */
    similar: 'console-case-similar',
    /** With data-relation. */
    similarLink: 'console-case-similar-link',
    /** One line per case that follows, with data-outcome. */
    along: 'console-case-along',
    reference: 'console-case-reference',
    /** data-state holds the state. */
    state: 'console-case-state',
    facts: 'console-case-facts',
    clocks: 'console-case-clocks',
    /** One per choice, with data-grade. */
    grade: 'console-case-grade',
    /** What raising it to the first means. */
    gradeOne: 'console-case-grade-one',
    pauseReason: 'console-case-pause-reason',
    answer: 'console-case-answer',
    report: 'console-case-report',
    guidance: 'console-case-guidance',
    /** One per dispatch, with data-task-state. */
    task: 'console-case-task',
    steps: 'console-steps',
    /** One per possible step, with data-step. */
    step: 'console-step',
    stepBack: 'console-step-back',
    form: 'console-step-form',
    submit: 'console-step-submit',
    text: 'console-step-text',
    department: 'console-step-department',
    question: 'console-step-question',
    due: 'console-step-due',
    /** One per measure of the plan. */
    measure: 'console-step-measure',
    measureWhat: 'console-step-measure-what',
    measureWho: 'console-step-measure-who',
    decision: 'console-step-decision',
    remedy: 'console-step-remedy',
    reasons: 'console-step-reasons',
    amount: 'console-step-amount',
    nextLevel: 'console-step-next-level',
    deviation: 'console-step-deviation',
    until: 'console-step-until',
    /** One per usual length. */
    untilBy: 'console-step-until-by',
    /** data-of holds branch or customer. */
    askOf: 'console-step-ask-of',
    changes: 'console-step-changes',
    sum: 'console-sum',
    two: 'console-sum-two',
    /** One per choice, with data-stance. */
    stance: 'console-step-stance',
    /** One per measure that can be chosen. */
    progressMeasure: 'console-step-progress-measure',
    percent: 'console-step-percent',
    done: 'console-step-done',
    score: 'console-step-score',
    /** data-satisfied holds yes or no. */
    satisfied: 'console-step-satisfied',
    /** One per cause, with data-cause. */
    cause: 'console-step-cause',
    reopens: 'console-step-reopens',
    outcome: 'console-step-outcome',
    colleague: 'console-step-colleague',
    warning: 'console-step-warning',
    questions: 'console-case-questions',
    /** One per request, with data-state. */
    approval: 'console-case-approval',
    dissent: 'console-case-dissent',
    plan: 'console-case-plan',
    extensions: 'console-case-extensions',
    callBack: 'console-case-call-back',
    rating: 'console-case-rating',
    finally: 'console-case-finally',
    /** One per earlier cycle, with data-cycle. */
    past: 'console-case-past',
    /** data-until holds the end of the lease. */
    lease: 'console-lease',
    lost: 'console-claim-lost',
    holder: 'console-claim-holder',
    note: 'console-note',
    noteSubmit: 'console-note-submit',
  },
  /** One per part of the report, with data-part. */
  report: 'console-report-part',
  duties: {
    screen: 'console-duties',
    /** One per duty, with data-duty, data-id and data-late. */
    row: 'console-duty',
    /** data-count holds how many there are. */
    badge: 'console-duties-badge',
  },
  setAside: {
    /** data-count holds how many are mine. */
    badge: 'console-set-aside-badge',
    view: 'console-set-aside-view',
    /** Whose it is, with data-holder. */
    whose: 'console-set-aside-whose',
    fix: 'console-set-aside-fix',
    more: 'console-set-aside-more',
    entrust: 'console-set-aside-entrust',
    holder: 'console-set-aside-holder',
    reference: 'console-set-aside-reference',
  },
  alarms: {
    screen: 'console-alarms',
    /** data-value holds open or closed. */
    view: 'console-alarms-view',
    /** One per alarm, with data-id, data-kind and data-state. */
    row: 'console-alarm',
    panel: 'console-alarm-panel',
    /** One per complaint of it, with data-reference. */
    member: 'console-alarm-member',
    /** One per step open to the reader, with data-step. */
    step: 'console-alarm-step',
    text: 'console-alarm-text',
    look: 'console-alarms-look',
    growth: 'console-alarm-growth',
  },
  same: {
    /** data-left holds how many are still to be compared. */
    screen: 'console-same',
    /** data-value holds how many answers are off guidance. */
    off: 'console-same-off',
    by: 'console-same-by',
    table: 'console-same-table',
    /** One per line, with data-key, data-off and data-guided. */
    row: 'console-same-row',
    /** One per pair, with data-one, data-other and data-differs. */
    pair: 'console-same-pair',
  },
  sms: {
    screen: 'console-sms',
    view: 'console-sms-view',
    alarm: 'console-sms-alarm',
    /** One per text, with data-id and data-state. */
    row: 'console-sms-row',
    retry: 'console-sms-retry',
    dismiss: 'console-sms-dismiss',
    /** Texts that fail by themselves. */
    failing: 'console-sms-failing',
    held: 'console-sms-held',
    release: 'console-sms-release',
    discard: 'console-sms-discard',
    reason: 'console-sms-reason',
  },
  tasks: {
    screen: 'console-tasks',
    view: 'console-tasks-view',
    /** One per task, with data-id and data-task-state. */
    row: 'console-task',
    accept: 'console-task-accept',
    reject: 'console-task-reject',
    report: 'console-task-report',
    reason: 'console-task-reason',
    submit: 'console-task-submit',
  },
  board: {
    screen: 'console-board',
    /** One per figure, with data-figure and data-value. */
    figure: 'console-figure',
    /** One per grade-1 alert, with data-id. */
    alert: 'console-alert',
    acknowledge: 'console-acknowledge',
  },
  desks: {
    screen: 'console-desks',
    filter: 'console-desks-filter',
    only: 'console-desks-only',
    /** One per desk, with data-id and data-attention, a list of codes. */
    row: 'console-desk',
  },
  approvals: { screen: 'console-approvals', row: 'console-approval' },
  search: { screen: 'console-search', empty: 'console-search-empty' },
  elsewhere: 'console-elsewhere',
  ...ofAdmin,
} as const
