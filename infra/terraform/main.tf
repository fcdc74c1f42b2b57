# Deploys infra/template.yaml: the stack is defined there, once.
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

resource "aws_cloudformation_stack" "render_on_lambda" {
  name          = var.stack_name
  template_body = file("${path.module}/../template.yaml")
  capabilities  = ["CAPABILITY_IAM"]

  parameters = {
    SetUpCodeKey            = var.set_up_code_key
    ProducerCodeKey         = var.producer_code_key
    ConsumerImageUri        = var.consumer_image_uri
    ConsumerCodeKey         = var.consumer_code_key
    PartsMirror             = var.parts_mirror
    ConsumerBlenderVersions = var.consumer_blender_versions
    Blender                 = var.blender
    ConsumerMemory          = var.consumer_memory
    ConsumerTimeout         = var.consumer_timeout
    ConsumerDisk            = var.consumer_disk
    MaximumConcurrency      = var.maximum_concurrency
    BurstWorkers            = var.burst_workers
    MaximumTries            = var.maximum_tries
    LeaseSeconds            = var.lease_seconds
    RetentionDays           = var.retention_days
    AlarmEmail              = var.alarm_email
    MonthlyBudget           = var.monthly_budget
    Dashboard               = var.dashboard
  }
}
