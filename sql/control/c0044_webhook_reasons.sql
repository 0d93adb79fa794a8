-- The reason for which a webhook is disabled is a word, so that the sentence for people can change. It was that sentence.
UPDATE control.webhooks SET disabled_reason = CASE disabled_reason
    WHEN 'All attempts failed for 5 days.' THEN 'failures' WHEN 'Disabled by request.' THEN 'request' END
WHERE disabled_reason IN ('All attempts failed for 5 days.', 'Disabled by request.');
