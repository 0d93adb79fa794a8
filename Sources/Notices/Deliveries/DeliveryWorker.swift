import FoundationEssentials
import KeyStore
import Keys
import Logging
import Postgres
import Tenancy

/// Makes the attempts that are due, on this node.
struct DeliveryWorker: Sendable {
    let node: UUID
    let databases: Databases
    let sender: WebhookSender
    let secrets: SecretsFile
    let options: NoticeOptions
    let wakeup: Wakeup
    let slots: AttemptSlots
    let recorder: OutcomeRecorder
    let logger: Logger

    /// The pause after a claim.
    ///
    /// A claim looks at each webhook, and each delivery and each record asks for one. They share it.
    private static let pause = Duration.milliseconds(10)

    /// Makes attempts until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            await wakeup.run(every: .seconds(1), pause: Self.pause) {
                for attempt in await claim() {
                    let ticket = slots.begin(attempt.attempt.webhook, at: .now)
                    group.addTask {
                        await perform(attempt.attempt, ticket, claimedAt: attempt.claimedAt)
                        slots.end(ticket)
                        wakeup.wake()
                    }
                }
            }
            group.cancelAll()
        }
    }

    /// Leases attempts for free slots.
    private func claim() async -> [(attempt: LeasedAttempt, claimedAt: ContinuousClock.Instant)] {
        let now = ContinuousClock.now
        let shares = slots.shares(at: now)
        if shares.isEmpty { return [] }
        do {
            return try await databases.control.pool
                .withConnection { connection in
                    try await DeliveryQueue(connection: connection).claim(by: node, shares, shift: options.shift())
                }
                .map { ($0, now) }
        } catch {
            if !Task.isCancelled {
                logger.debug("deliveries could not be claimed", metadata: ["error": "\(error)"])
            }
            return []
        }
    }

    private func perform(
        _ attempt: LeasedAttempt,
        _ ticket: AttemptSlots.Ticket,
        claimedAt: ContinuousClock.Instant
    ) async {
        do {
            let rest = DeliveryQueue.maximumAttemptTime - (ContinuousClock.now - claimedAt)
            // A node that was paused since must not send: another node has taken over.
            guard rest > .seconds(1) else { return }
            let outcome = try await send(attempt, within: min(options.attemptDeadline, rest))
            log(outcome, attempt)
            slots.answered(ticket, isSuccess: outcome.isSuccess, at: .now)
            let next = self.next(after: attempt, outcome)
            let ended = EndedAttempt(attempt: attempt, outcome: outcome, next: next)
            let failingSince = try await recorder.record(ended)
            slots.recorded(ticket, isFailing: failingSince != nil)
            if let failingSince, attempt.at - failingSince >= DeliverySchedule.patience {
                try await disable(attempt.webhook, failingSince: attempt.at - DeliverySchedule.patience)
            }
        } catch {
            if !Task.isCancelled {
                logger.debug(
                    "an attempt of a webhook could not be recorded",
                    metadata: ["webhook_id": .string(UUIDv7.text(of: attempt.webhook.id)), "error": "\(error)"]
                )
            }
        }
    }

    /// Writes the words of a library about an attempt that got no answer.
    ///
    /// A tenant can let attempts fail as often as it likes, so faults of receivers are no news at the usual level.
    private func log(_ outcome: AttemptOutcome, _ attempt: LeasedAttempt) {
        guard let cause = outcome.cause else { return }
        logger.log(
            level: cause.isOfServer ? .notice : .debug,
            "an attempt of a webhook got no answer",
            metadata: ["webhook_id": .string(UUIDv7.text(of: attempt.webhook.id)), "error": "\(cause.text)"]
        )
    }

    private func send(_ attempt: LeasedAttempt, within limit: Duration) async throws -> AttemptOutcome {
        let webhook = attempt.webhook
        guard let url = WebhookURL(webhook.url) else {
            return AttemptOutcome(error: "the URL cannot be used; enter another one", milliseconds: 0)
        }
        guard let secret = webhook.signingSecret(secrets) else {
            return AttemptOutcome(
                error:
                    "the server's secrets file lacks the secret behind the signing secret; rotate the signing secret",
                milliseconds: 0
            )
        }
        let old = webhook.oldSecret.flatMap { $0.signingSecret(of: webhook.id, secrets.webhooks) }
        let request = WebhookRequest(
            to: url,
            id: UUIDv7.text(of: attempt.eventID),
            body: attempt.body,
            signedBy: [secret, old].compactMap(\.self),
            at: attempt.at,
            userAgent: options.userAgent
        )
        return try await sender.send(request, of: webhook.organizationID, within: limit)
    }

    /// Returns the time of the next attempt, or `nil` if this attempt ends the delivery.
    private func next(after attempt: LeasedAttempt, _ outcome: AttemptOutcome) -> Timestamp? {
        guard !outcome.isSuccess, outcome.statusCode != AttemptOutcome.gone else { return nil }
        return DeliverySchedule.next(
            after: attempt.attemptCount + 1,
            start: attempt.firstAttemptAt ?? attempt.at,
            now: attempt.at,
            chance: Double.random(in: 0..<1)
        )
    }

    /// Disables a webhook that had nothing but failures for too long.
    private func disable(_ webhook: Webhook, failingSince time: Timestamp) async throws {
        let isDisabled = try await databases.control.pool.withConnection { connection in
            try await connection.auditedTransaction { transaction in
                try await WebhookWriter(transaction, secrets)
                    .disable(
                        webhook.id,
                        organization: webhook.organizationID,
                        failingSince: time,
                        by: .system
                    )
            }
        }
        guard isDisabled else { return }
        logger.notice(
            "a webhook was disabled, because all attempts failed for 5 days",
            metadata: ["webhook_id": .string(UUIDv7.text(of: webhook.id))]
        )
    }
}
