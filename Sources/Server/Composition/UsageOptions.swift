package import Verification

/// The intervals and limits of writing counts of verifications.
package typealias UsageOptions = UsageRecorder.Options
