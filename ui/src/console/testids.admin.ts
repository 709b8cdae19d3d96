// The names by which tests find the controls of the administrator's screens.
export const ofAdmin = {
  admin: {
    screen: 'console-admin',
    /** One per line, with data-id. */
    row: 'console-admin-row',
    /** How often a desk's clock was set. */
    jumps: 'console-admin-jumps',
    add: 'console-admin-add',
    dialog: 'console-admin-dialog',
    submit: 'console-admin-submit',
    duty: 'console-admin-duty',
    dutyPhone: 'console-admin-duty-phone',
    dutyLanguage: 'console-admin-duty-language',
    dutyRemove: 'console-admin-duty-remove',
    /** One per part and language, with data-part and data-language. */
    letterText: 'console-admin-letter-text',
    enrol: 'console-enrol',
    /** The code itself, once it is made. */
    code: 'console-enrol-code',
    /** A password the hub has made. */
    password: 'console-made-password',
  },
  learning: {
    /** data-in-force holds the version desks use, data-running whether one is trained. */
    screen: 'console-learning',
    train: 'console-learning-train',
    preview: 'console-learning-preview',
    /** One per training, with data-id and data-decision. */
    row: 'console-learning-row',
    use: 'console-learning-use',
    confusion: 'console-learning-confusion',
    changes: 'console-learning-changes',
    overrides: 'console-learning-overrides',
    reference: 'console-learning-reference',
    forget: 'console-learning-forget',
    /** data-costs holds the ratio that is set, data-in-use the version. */
    handoffs: 'console-learning-handoffs',
    costs: 'console-learning-costs',
    setCosts: 'console-learning-set-costs',
    costPreview: 'console-learning-cost-preview',
  },
  time: {
    /** data-version holds that of the rules in force. */
    screen: 'console-time',
    /** Years without a calendar, with data-years. */
    uncovered: 'console-time-uncovered',
    /** One per setting, with data-field. */
    field: 'console-time-field',
    /** One per day of some hours, with data-field. */
    day: 'console-time-day',
    /** One per list that can be added to, with data-to. */
    add: 'console-time-add',
    branch: 'console-time-branch',
    /** One per branch with hours of its own, with data-id. */
    own: 'console-time-own',
    /** One per clock, with data-clock. */
    ladder: 'console-time-ladder',
    /** One per grade and clock, with data-grade, `all` for all of them. */
    rungs: 'console-time-rungs',
    /** One per rung, with data-level. */
    rung: 'console-time-rung',
    texted: 'console-time-texted',
    file: 'console-time-file',
    /** One per listed day of the calendar, with data-date and data-kind. */
    listed: 'console-time-listed',
    /** One per change that was made. */
    made: 'console-time-made',
    /** data-count holds how many settings are changed. */
    changed: 'console-time-changed',
    discard: 'console-time-discard',
    preview: 'console-time-preview',
    dialog: 'console-time-dialog',
    /** One per setting that changes. */
    change: 'console-time-change',
    /** One per clock that changes for what arrives now, with data-clock. */
    example: 'console-time-example',
    exampleBranch: 'console-time-example-branch',
    /** One per year of the calendar that changes, with data-year. */
    year: 'console-time-year',
    /** data-count holds how many deadlines move. */
    moved: 'console-time-moved',
    /** data-count holds how many would be overdue at once. */
    overdue: 'console-time-overdue',
    putInForce: 'console-time-put-in-force',
    reload: 'console-time-reload',
  },
} as const
