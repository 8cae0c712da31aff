CREATE INDEX webhook_jobs_processed_at ON webhook_jobs (processed_at);
