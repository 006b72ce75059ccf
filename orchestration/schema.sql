-- Control tables and score tables. The raw tables are made from the entities; everything else
-- that people query is a dbt model.
create schema if not exists raw;
create schema if not exists ops;
create schema if not exists staging;
create schema if not exists intermediate;
create schema if not exists marts;

-- one row per file that was taken, by content
create table if not exists ops.landed_files (
    file_hash varchar not null,
    file varchar not null,
    entity varchar not null,
    partition_key varchar not null,
    bytes bigint not null,
    modified_ns bigint not null,
    format varchar,
    received bigint not null,
    accepted bigint not null,
    duplicates bigint not null,
    rejected bigint not null,
    notes varchar[] not null,
    batch_id bigint not null,
    ingested_at timestamp not null
);

-- one row per file that was replayed: its entry as it was, since its rows stay in raw
create table if not exists ops.forgotten_files (
    file_hash varchar not null,
    file varchar not null,
    entity varchar not null,
    received bigint not null,
    accepted bigint not null,
    duplicates bigint not null,
    rejected bigint not null,
    batch_id bigint not null,
    forgotten_at timestamp not null
);

-- one row per row (or whole file) that could not be taken
create table if not exists ops.rejected_rows (
    batch_id bigint not null,
    file_hash varchar not null,
    file varchar not null,
    entity varchar not null,
    row_number bigint,
    payload varchar,
    reasons varchar[] not null,
    rejected_at timestamp not null
);

-- one row per ingested batch; published when a run has carried it through to the scores
create table if not exists ops.batches (
    batch_id bigint not null,
    partition_key varchar not null,
    run_id varchar not null,
    received bigint not null,
    accepted bigint not null,
    duplicates bigint not null,
    rejected bigint not null,
    ingested_at timestamp not null,
    snapshot_id bigint,
    published_at timestamp
);

-- one row: the instant the run works as of, and the batches that it carries through
create table if not exists ops.clock (
    as_of timestamp not null,
    mode varchar not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null
);

-- one row per task and past instant to train or judge on
create table if not exists ops.as_of_dates (
    task varchar not null,
    as_of timestamp not null,
    horizon_days integer not null,
    population_days integer not null,
    outcome varchar,
    population varchar,
    -- of how many of the most bought categories customers are asked, whatever the task
    top_categories integer
);

-- one row per task that the last plan of training left out, and why
create table if not exists ops.skipped_tasks (
    task varchar not null,
    reason varchar not null,
    is_expected boolean not null
);

-- one row per decision of a person on a customer ref: the newest one counts, and no evidence
-- overrides it; refs with one group are one customer and join nobody else, null lets evidence decide
create table if not exists ops.identity_decisions (
    ref_key varchar not null,
    group_key varchar,
    decided_at timestamp not null,
    decided_by varchar not null,
    reason varchar not null,
    batch_id bigint not null
);

-- one row per incident, that is per cause: what was seen of a customer, a visitor or a metric
create table if not exists ops.alerts (
    alert_id varchar not null,
    kind varchar not null,
    subject varchar not null,
    severity varchar not null,
    score double not null,
    unusual varchar not null,
    message varchar not null,
    since timestamp not null,
    detected_at timestamp not null,
    last_seen_at timestamp not null,
    event_ids varchar[] not null,
    batch_id bigint not null,
    recorded_at timestamp not null,
    -- open, acknowledged, or closed: acknowledged and over
    status varchar not null,
    acknowledged_at timestamp,
    acknowledged_by varchar,
    note varchar,
    -- pending, delivered, failed (it is tried again), or historic: recorded, never sent
    delivery varchar not null,
    delivery_attempts integer not null,
    delivery_error varchar,
    delivered_at timestamp
);

-- one row per metric and grain: until when its values are judged, and what the detector remembers
create table if not exists ops.metric_states (
    metric varchar not null,
    grain varchar not null,
    settled_until timestamp not null,
    unit double not null,
    memory double[] not null,
    updated_at timestamp not null
);

-- at most one row: which deviations from their own habit are usual among customers
create table if not exists ops.habit_models (
    as_of timestamp not null,
    usual_amount double,
    forest blob,
    fitted_at timestamp not null
);

-- one row per customer: the newest score
create table if not exists marts.customer_scores (
    customer_key varchar not null,
    as_of timestamp not null,
    churn_probability double,
    purchase_probability double,
    expected_value double,
    expected_value_low double,
    expected_value_high double,
    purchase_7d_probability double,
    purchase_30d_probability double,
    inactivity_probability double,
    segment_id integer,
    segment_name varchar,
    top_reasons varchar[],
    model_versions varchar not null,
    scored_at timestamp not null,
    batch_id bigint not null
);

-- one row per customer and scoring
create table if not exists marts.score_history (
    customer_key varchar not null,
    as_of timestamp not null,
    churn_probability double,
    purchase_probability double,
    expected_value double,
    expected_value_low double,
    expected_value_high double,
    purchase_7d_probability double,
    purchase_30d_probability double,
    inactivity_probability double,
    segment_id integer,
    segment_name varchar,
    top_reasons varchar[],
    model_versions varchar not null,
    scored_at timestamp not null,
    batch_id bigint not null
);

-- one row per customer: the group it moves with now
create table if not exists marts.customer_segments (
    customer_key varchar not null,
    as_of timestamp not null,
    segment_id integer not null,
    segment_name varchar not null,
    distance double,
    -- how much nearer than the nearest other segment; below 0: that one is nearer, but not clearly
    margin double,
    second_id integer,
    -- the features that place a customer (ml/segment_moves.py): the next move is explained by them
    feature_values double[],
    -- the instant of the first assignment
    first_as_of timestamp,
    model_version varchar not null,
    assigned_at timestamp not null,
    batch_id bigint not null
);

-- one row per segment that there ever was; ids are never used again
create table if not exists marts.segments (
    segment_id integer not null,
    segment_name varchar not null,
    colour varchar not null,
    -- the centroid, by feature and in its own unit; null for those held apart
    typical map(varchar, double),
    -- as of which instant customers were first and last put in it; null while it is in force
    born_at timestamp not null,
    retired_at timestamp,
    -- the newest version with it
    model_version varchar not null
);

-- one row per customer and change of segment; a first assignment is none
create table if not exists marts.segment_moves (
    customer_key varchar not null,
    from_segment_id integer not null,
    from_segment_name varchar not null,
    to_segment_id integer not null,
    to_segment_name varchar not null,
    moved_at timestamp not null,
    -- behaviour, or retraining: with the same features the new segmentation puts them elsewhere
    cause varchar not null,
    why varchar[] not null,
    model_version varchar not null,
    assigned_at timestamp not null,
    batch_id bigint not null
);

-- one row per rule of the folder segments: what became of it when it was last looked at
create table if not exists ops.segment_rules (
    rule varchar not null,
    title varchar,
    description varchar,
    rule_version varchar,
    -- why it is disabled; null when it was evaluated
    error varchar,
    -- of its ranks, in their order, and the instant that they are of
    borders double[],
    borders_as_of timestamp,
    as_of timestamp not null,
    batch_id bigint not null,
    evaluated_at timestamp not null
);

-- one row per customer and rule that holds for it now; as_of and batch_id are of the run that wrote it
create table if not exists marts.rule_segments (
    customer_key varchar not null,
    rule varchar not null,
    title varchar not null,
    entered_at timestamp not null,
    rule_version varchar not null,
    as_of timestamp not null,
    batch_id bigint not null
);

-- one row per stay of a customer in a rule segment; left_at is null while it lasts
create table if not exists marts.rule_segment_history (
    customer_key varchar not null,
    rule varchar not null,
    entered_at timestamp not null,
    left_at timestamp
);

-- one row per customer who may be written to and channel: the chance of a reaction to a message
create table if not exists marts.response_scores (
    customer_key varchar not null,
    channel varchar not null,
    variant varchar,
    probability double not null,
    top_reasons varchar[],
    as_of timestamp not null,
    model_version varchar not null,
    scored_at timestamp not null,
    batch_id bigint not null
);

-- one row per customer who bought lately and category: the chance of a purchase within 30 days
create table if not exists marts.category_scores (
    customer_key varchar not null,
    category varchar not null,
    probability double not null,
    rank integer not null,
    top_reasons varchar[],
    as_of timestamp not null,
    model_version varchar not null,
    scored_at timestamp not null
);

-- one row per open session: the chance that an order follows in it, as of when it was due last
create table if not exists marts.session_intent (
    session_id varchar not null,
    visitor_key varchar not null,
    customer_key varchar,
    started_at timestamp not null,
    events bigint not null,
    probability double not null,
    top_reasons varchar[],
    as_of timestamp not null,
    model_version varchar not null,
    scored_at timestamp not null
);

-- one row per pair of customers that are, may be or were taken to be of one person without a
-- shared identifier: same, review or different
create table if not exists intermediate.identity_matches (
    left_key varchar not null,
    right_key varchar not null,
    probability double not null,
    decision varchar not null,
    changed_batch_id bigint not null
);

-- one row per name that is listened for, or group of the file of terms that is wrong (name empty);
-- no group: the whole file is
create table if not exists ops.listening_terms (
    term_group varchar not null,
    name varchar not null,
    spellings varchar[] not null,
    -- why it is not listened for
    error varchar,
    -- of all names together
    terms_version varchar not null
);

-- one row per masked text, by content, and name that it mentions
create table if not exists ops.text_mentions (
    content_hash varchar not null,
    term_group varchar not null,
    name varchar not null,
    -- its first spelling there
    term varchar not null,
    mentions integer not null,
    terms_version varchar not null,
    -- first batch of the run that wrote the row
    changed_batch_id bigint not null
);

-- one row per thing that was suddenly talked about: a burst, or a new term
create table if not exists marts.emerging_issues (
    -- that of its alert, where it has one
    issue_id varchar not null,
    -- complaint_burst (of a product), topic_burst, mention_burst, emerging_complaint, emerging_term
    kind varchar not null,
    subject varchar not null,
    -- what people call the subject, where that is a number
    subject_name varchar,
    words varchar[] not null,
    is_complaint boolean not null,
    started_at timestamp not null,
    -- of the text that made it improbable: nothing later was looked at
    noticed_at timestamp not null,
    last_seen_at timestamp not null,
    texts bigint not null,
    -- in an hour (burst) or a day (new term), by the past
    expected double not null,
    -- how many times the least that is told
    score double not null,
    severity varchar not null,
    message varchar not null,
    -- masked, the newest first
    examples varchar[] not null,
    feedback_refs varchar[] not null,
    as_of timestamp not null,
    -- last batch of the run that found more of it
    batch_id bigint not null
);

-- one row per attribution model that judges all journeys together, day, channel and campaign
create table if not exists marts.attribution_models (
    model varchar not null,
    conversion_date date not null,
    channel_group varchar not null,
    campaign_ref varchar,
    conversions double not null,
    value double not null
);

-- one row per row of raw.feedback: its text as everything after raw reads it, cleaned and with
-- personal data replaced by what it was
create table if not exists ops.masked_texts (
    feedback_ref varchar not null,
    -- of the feedback
    batch_id bigint not null,
    -- of the masked text: what is read and embedded once
    content_hash varchar not null,
    body varchar not null,
    -- text, symbols (no letter, no digit) or empty
    kind varchar not null,
    -- whether the middle of a very long text is left out
    is_cut boolean not null,
    -- version of cleaning and masking
    masker varchar not null,
    -- first batch of the run that wrote the row
    changed_batch_id bigint not null
);

-- one row per text, by content, and embedder: whole texts, their clauses, phrases of taxonomies
create table if not exists ops.text_embeddings (
    content_hash varchar not null,
    -- version of the embedder
    embedder varchar not null,
    -- 768 half-precision floats, little-endian
    vector blob not null
);

-- one row per masked text, by content: how the models in force read it
create table if not exists ops.text_readings (
    content_hash varchar not null,
    -- versions of the models that read it
    reader varchar not null,
    language varchar not null,
    sentiment varchar,
    sentiment_score double,
    sentiment_confidence double,
    -- what drove it: above 0 towards positive
    sentiment_words map(varchar, double),
    intent varchar,
    intent_confidence double,
    urgency varchar,
    threatens_to_leave boolean,
    topic_id integer,
    topic_name varchar,
    -- the mood of each aspect spoken of, -1 to 1
    aspects map(varchar, double),
    -- names of the user's taxonomy, the likest first
    taxonomy varchar[],
    -- why there is no mood: empty, language, or not_installed; null where there is one
    unread_reason varchar,
    -- first batch of the run that wrote the row
    changed_batch_id bigint not null
);

-- one row per topic that there ever was; ids are never used again
create table if not exists marts.topics (
    topic_id integer not null,
    topic_name varchar not null,
    -- what sets it apart, the strongest first
    words varchar[] not null,
    -- as of which instant it was first and last found; null while it is in force
    born_at timestamp not null,
    retired_at timestamp,
    -- the newest version with it
    model_version varchar not null
);
