output "version" {
  description = "The version that this stack was made by."
  value       = aws_cloudformation_stack.render_on_lambda.outputs["Version"]
}

output "protocol" {
  description = "The version of the documents and messages that its functions read and write."
  value       = aws_cloudformation_stack.render_on_lambda.outputs["Protocol"]
}

output "bucket_name" {
  description = "Holds packs, jobs and results."
  value       = aws_cloudformation_stack.render_on_lambda.outputs["BucketName"]
}

output "queue_url" {
  description = "Holds one message a frame."
  value       = aws_cloudformation_stack.render_on_lambda.outputs["QueueUrl"]
}

output "dead_letter_queue_url" {
  description = "Holds the messages of tasks that were given up."
  value       = aws_cloudformation_stack.render_on_lambda.outputs["DeadLetterQueueUrl"]
}

output "api_url" {
  description = "Where jobs can be posted, signed with IAM credentials."
  value       = lookup(aws_cloudformation_stack.render_on_lambda.outputs, "ApiUrl", null)
}

output "consumer_name" {
  description = "The function that renders."
  value       = lookup(aws_cloudformation_stack.render_on_lambda.outputs, "ConsumerName", null)
}

output "consumer_memory" {
  description = "Its memory in MiB, for prices."
  value       = aws_cloudformation_stack.render_on_lambda.outputs["ConsumerMemory"]
}

output "maximum_concurrency" {
  description = "How many frames are rendered at the same time at most."
  value       = aws_cloudformation_stack.render_on_lambda.outputs["MaximumConcurrency"]
}

output "burst_workers" {
  description = "How many workers a job may call at once beside those of the mapping."
  value       = aws_cloudformation_stack.render_on_lambda.outputs["BurstWorkers"]
}

output "maximum_tries" {
  description = "After how many tries a task is given up."
  value       = aws_cloudformation_stack.render_on_lambda.outputs["MaximumTries"]
}

output "artist_policy_arn" {
  description = "The managed policy with what the add-on needs."
  value       = lookup(aws_cloudformation_stack.render_on_lambda.outputs, "ArtistPolicyArn", null)
}

output "retention_days" {
  description = "After how many days uploads, jobs and results are deleted."
  value       = aws_cloudformation_stack.render_on_lambda.outputs["RetentionDays"]
}

output "blender_versions" {
  description = "The Blenders that render, as major and minor version."
  value       = aws_cloudformation_stack.render_on_lambda.outputs["BlenderVersions"]
}

output "repository_name" {
  description = "Holds the image of the renderer."
  value       = aws_cloudformation_stack.render_on_lambda.outputs["RepositoryName"]
}
